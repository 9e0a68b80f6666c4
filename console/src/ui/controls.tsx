import { Check, Copy, type LucideIcon, MoreHorizontal } from 'lucide-preact';
import type { ComponentChildren, JSX } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { useTexts } from '../i18n';
import { copyText } from '../lib/clipboard';
import { useToast } from './toast';

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

interface IconButtonProps {
  icon: LucideIcon;
  label: string;
  disabled?: boolean;
  onClick: () => void;
}

/** A button without text; `label` says what it does. */
export function IconButton({ label, ...rest }: IconButtonProps) {
  return <Button kind="plain" aria-label={label} title={label} {...rest} />;
}

/** A picture that says something: what, on hover and to screen readers. */
export function Sign({ icon: Icon, label, size = SMALL }: { icon: LucideIcon; label: string; size?: number }) {
  return (
    <span class="sign" role="img" aria-label={label} title={label}>
      <Icon size={size} aria-hidden="true" />
    </span>
  );
}

/** Copies `text`, and says so for two seconds. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTexts();
  const say = useToast();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await copyText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      say(t('copy.refused'));
    }
  };
  return (
    <>
      <IconButton icon={copied ? Check : Copy} label={label ?? t('copy')} onClick={() => void copy()} />
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

interface Action {
  icon: LucideIcon;
  text: string;
  go: () => void;
  /** Whether something goes. */
  harm?: boolean;
}

/** What can be done with `name`, in a menu. */
export function Actions({ name, actions }: { name: string; actions: Action[] }) {
  const { t } = useTexts();
  return (
    <Menu label={t('actions.of', { name })} icon={MoreHorizontal}>
      {(close) =>
        actions.map(({ icon: Icon, text, go, harm }) => (
          <button
            type="button"
            key={text}
            class={harm ? 'harm' : undefined}
            onClick={() => {
              close();
              go();
            }}
          >
            <Icon size={SMALL} aria-hidden="true" />
            {text}
          </button>
        ))
      }
    </Menu>
  );
}
