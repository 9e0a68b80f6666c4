import { CircleAlert } from 'lucide-preact';
import { type ComponentChildren, createContext } from 'preact';
import { useCallback, useContext, useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { type Message, useTexts } from '../i18n';
import { Button } from './controls';

/** What to do about a refusal, by its status; the registry's own sentence stands beside it. */
const ADVICE: Record<number, Message> = {
  0: 'error.unreachable',
  401: 'error.signedOut',
  403: 'error.forbidden',
  404: 'error.notFound',
  409: 'error.conflict',
  412: 'error.precondition',
  429: 'error.busy',
};

/** What happened, in the registry's words, and what to do; with the request's id for whoever reads the logs. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTexts();
  const known = error instanceof ApiError ? error : new ApiError(-1, 'UNFORESEEN', String(error), '');
  const advice = ADVICE[known.status] ?? (known.status >= 500 ? 'error.server' : undefined);
  return (
    <div class="failure" role="alert">
      <CircleAlert size={18} aria-hidden="true" />
      <div class="stack" style={{ gap: '4px' }}>
        {known.message && <p class="break">{known.message}</p>}
        {advice && <p>{t(advice)}</p>}
        {known.requestId && (
          <p class="small">
            {t('error.request')} <code class="break">{known.requestId}</code>
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
type Say = (text: string, undo?: () => void) => void;
const ToastContext = createContext<Say>(() => undefined);

const SHOWN = 6_000; // milliseconds; with an undo twice as long

/** Says what was done, at the foot of the page, with a button that undoes it where that is possible. */
export function useToast(): Say {
  return useContext(ToastContext);
}

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
