import { CircleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { useTexts } from '../i18n';
import { explanationOf, type Words } from '../lib/failures';
import { Button } from './controls';
import { type Say, ToastContext } from './toast';

interface FailureProps {
  error: unknown;
  retry?: () => void;
  /** What certain refusals mean on this page. */
  words?: Words;
}

/** What happened and what to do, in the reader's language; then the registry's sentence, and the id of the request. */
export function Failure({ error, retry, words }: FailureProps) {
  const { t } = useTexts();
  const sentence = error instanceof ApiError ? error.message : String(error);
  const request = error instanceof ApiError ? error.requestId : '';
  return (
    <div class="failure" role="alert">
      <CircleAlert size={18} aria-hidden="true" />
      <div class="stack" style={{ gap: '4px' }}>
        <p>{t(explanationOf(error, words))}</p>
        {sentence && (
          <p class="small break" lang="en">
            {sentence}
          </p>
        )}
        {request && (
          <p class="small">
            {t('error.request')} <code class="break">{request}</code>
          </p>
        )}
        {retry && (
          <div>
            <Button kind="small" onClick={retry}>
              {t('retry')}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

const SHOWN = 6_000; // milliseconds; with an undo twice as long

export function Toasts({ children }: { children: ComponentChildren }) {
  const { t } = useTexts();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const say = useMemo<Say>(() => {
    let last = 0;
    return (text, undo) => {
      const id = ++last;
      setToasts((all) => [...all.slice(-2), { id, text, undo }]);
      setTimeout(() => drop(id), undo ? 2 * SHOWN : SHOWN);
    };
  }, [drop]);
  return (
    <ToastContext.Provider value={say}>
      {children}
      <div class="toasts" role="status">
        {toasts.map(({ id, text, undo }) => (
          <div class="toast" key={id}>
            <span class="break">{text}</span>
            {undo && (
              <Button
                onClick={() => {
                  drop(id);
                  undo();
                }}
              >
                {t('undo')}
              </Button>
            )}
          </div>
        ))}
      </div>
    </ToastContext.Provider>
  );
}
