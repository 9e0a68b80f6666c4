import { Check, Copy, type LucideIcon } from 'lucide-preact';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useTexts } from '../i18n';

export const SMALL = 16;

interface ButtonProps extends Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'icon'> {
  icon?: LucideIcon;
  kind?: string;
}

/** `kind` is any of `primary`, `harm`, `plain`, `small`. */
export function Button({ icon: Icon, kind = '', children, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} class={`button ${kind}${children ? '' : ' icon'}`}>
      {Icon && <Icon size={SMALL} aria-hidden="true" />}
      {children}
    </button>
  );
}

/** Copies `text`, and says so for two seconds. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTexts();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <>
      <Button
        kind="plain"
        icon={copied ? Check : Copy}
        onClick={() => void copy()}
        aria-label={label ?? t('copy')}
        title={label ?? t('copy')}
      />
      <span class="visually-hidden" role="status">
        {copied ? t('copied') : ''}
      </span>
    </>
  );
}

/** A line for a shell, with a button that copies it. */
export function Command({ text, label }: { text: string; label?: string }) {
  return (
    <div class="command">
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  children: (attributes: { id: string; 'aria-describedby'?: string }) => ComponentChildren;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(hint ? { 'aria-describedby': `${id}-hint` } : {}) })}
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

interface DialogProps {
  title?: string;
  label?: string;
  class?: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog. Escape and a click outside close it. */
export function Dialog({ title, label, class: kind, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
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
      onMouseDown={(event) => event.target === ref.current && onClose()}
    >
      <div class="inside">
        {title && <h2 id={id}>{title}</h2>}
        {children}
      </div>
    </dialog>
  );
}

interface MenuProps {
  label: string;
  icon?: LucideIcon;
  text?: ComponentChildren;
  kind?: string;
  children: (close: () => void) => ComponentChildren;
}

/** A button that opens a list of actions below it. */
export function Menu({ label, icon, text, kind = 'plain', children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = (event: ToggleEvent) => {
    const at = button.current?.getBoundingClientRect();
    if (event.newState !== 'open' || !at || !list.current) return;
    const width = list.current.offsetWidth;
    const left = Math.min(Math.max(8, at.right - width), window.innerWidth - width - 8);
    const below = at.bottom + 4 + list.current.offsetHeight < window.innerHeight;
    list.current.style.left = `${left}px`;
    list.current.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - list.current.offsetHeight)}px`;
    list.current.querySelector<HTMLElement>('button, a')?.focus();
  };
  const step = (event: KeyboardEvent) => {
    const items = [...(list.current?.querySelectorAll<HTMLElement>('button, a') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length]?.focus();
  };
  return (
    <div ref={button}>
      <Button kind={kind} icon={icon} aria-label={label} title={label} popovertarget={id}>
        {text}
      </Button>
      <div id={id} ref={list} popover="auto" class="menu" onToggle={place} onKeyDown={step}>
        {children(() => list.current?.hidePopover())}
      </div>
    </div>
  );
}
