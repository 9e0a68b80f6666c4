import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useAction } from '../api/queries';
import { useTexts } from '../i18n';
import { Button } from './controls';
import { Failure } from './feedback';

interface DialogProps {
  title?: string;
  label?: string;
  class?: string;
  /** Whether a click outside leaves it open, because something would be lost. */
  stays?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog. Escape and a click outside close it. */
export function Dialog({ title, label, class: kind, stays, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      dialog?.close();
      // What opened it may be gone with what was deleted: whoever uses a keyboard goes on at the page.
      setTimeout(() => document.activeElement === document.body && document.getElementById('main')?.focus());
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={kind}
      aria-labelledby={title ? id : undefined}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => !stays && event.target === ref.current && onClose()}
    >
      <div class="inside">
        {title && <h2 id={id}>{title}</h2>}
        {children}
      </div>
    </dialog>
  );
}

/** What `useAction` returns, as far as a dialog shows it. */
interface Running {
  isPending: boolean;
  isError: boolean;
  error: unknown;
}

interface AskingProps {
  title: string;
  /** What the button says that does it. */
  verb: string;
  onClose: () => void;
  action: Running;
  /** Whether it can be done yet. */
  ready?: boolean;
  children?: ComponentChildren;
}

/** Asks before something goes, and names what goes with it. */
export function Confirm({ title, verb, onClose, action, ready = true, go, children }: AskingProps & { go: () => void }) {
  const { t } = useTexts();
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {action.isError && <Failure error={action.error} />}
      <div class="actions">
        <Button onClick={onClose} autoFocus>
          {t('cancel')}
        </Button>
        <Button kind="harm primary" disabled={action.isPending || !ready} onClick={go}>
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}

/** A form. `send` is called with its fields; what is refused is said above them, and nothing typed is lost. */
export function FormDialog({ title, verb, onClose, action, ready = true, send, children }: AskingProps & { send: (form: FormData) => void }) {
  const { t } = useTexts();
  return (
    <Dialog title={title} stays onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          send(new FormData(event.currentTarget));
        }}
      >
        {action.isError && <Failure error={action.error} />}
        {children}
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={action.isPending || !ready}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ResultProps {
  title: string;
  onClose: () => void;
  /** Buttons beside the one that closes the dialog. */
  more?: ComponentChildren;
  children: ComponentChildren;
}

/** What came of something, such as a secret that is shown once. */
export function Result({ title, onClose, more, children }: ResultProps) {
  const { t } = useTexts();
  return (
    <Dialog title={title} stays onClose={onClose}>
      {children}
      <div class="actions">
        {more}
        <Button kind="primary" onClick={onClose} autoFocus>
          {t('done')}
        </Button>
      </div>
    </Dialog>
  );
}

interface DeletionOptions<T> {
  run: (it: T) => Promise<unknown>;
  /** The first parts of the keys of what is to be asked for again. */
  refresh: string[];
  name: (it: T) => string;
  /** What goes with it. */
  hint: string | ((it: T) => string);
  /** `Delete {name}` and what is said afterwards, if other words are better. */
  words?: { title: (name: string) => string; verb: string; done: (name: string) => string };
}

/** Deletes one of a list after a question. Returns what asks it, and the dialog for the page to show. */
export function useDeletion<T>({ run, refresh, name, hint, words }: DeletionOptions<T>): [(it: T) => void, ComponentChildren] {
  const { t } = useTexts();
  const [asked, ask] = useState<T | null>(null);
  const { title, verb, done } = words ?? {
    title: (one: string) => t('delete.name', { name: one }),
    verb: t('delete'),
    done: (one: string) => t('deleted.name', { name: one }),
  };
  const action = useAction(run, { refresh, done: (it) => done(name(it)), then: () => ask(null) });
  const dialog = asked !== null && (
    <Confirm title={title(name(asked))} verb={verb} onClose={() => ask(null)} action={action} go={() => action.mutate(asked)}>
      <p>{typeof hint === 'string' ? hint : hint(asked)}</p>
    </Confirm>
  );
  return [
    (it) => {
      action.reset();
      ask(() => it);
    },
    dialog,
  ];
}
