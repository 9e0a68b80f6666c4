import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useTexts } from '../i18n';

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

/** For what is typed letter by letter, such as a name: no help from the browser. */
export const EXACT = { autoComplete: 'off', autoCapitalize: 'none', spellcheck: false } as const;

interface TextFieldProps extends Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'label'> {
  label: string;
  hint?: ComponentChildren;
  name: string;
}

/** One line of text, which `textOf` reads when its form is sent. */
export function TextField({ label, hint, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint}>
      {(at) => <input autoComplete="off" {...input} {...at} />}
    </Field>
  );
}

/** What was typed into a field of a form, without blanks around it. */
export function textOf(form: FormData, name: string): string {
  return String(form.get(name) ?? '').trim();
}

interface ChoicesProps<T> {
  legend: string;
  /** Whether the legend is for screen readers only, because the page says it already. */
  quiet?: boolean;
  options: readonly { value: T; text: ComponentChildren; hint?: ComponentChildren }[];
  value: T | undefined;
  onValue: (value: T) => void;
  disabled?: boolean;
}

/** One of a few, each with a sentence on what it means. */
export function Choices<T extends string | number | boolean>({ legend, quiet, options, value, onValue, disabled }: ChoicesProps<T>) {
  const name = useId();
  return (
    <fieldset disabled={disabled}>
      <legend class={quiet ? 'visually-hidden' : undefined}>{legend}</legend>
      {options.map(({ value: one, text, hint }) => (
        <label class="choice" key={String(one)}>
          <input type="radio" name={name} checked={value === one} onChange={() => onValue(one)} />
          <span>
            {text}
            {hint && <small>{hint}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const USUAL = 90; // days

interface DurationProps {
  days: readonly number[];
  /** What it is now; it can be kept whatever it is. */
  now?: number;
  hint?: string;
}

/** How long a secret is valid: days in the field `duration`, -1 for ever. */
export function DurationField({ days, now = USUAL, hint }: DurationProps) {
  const { t, n } = useTexts();
  return (
    <Field label={t('robots.expires')} hint={hint}>
      {(at) => (
        <select {...at} name="duration">
          {[...new Set([...days, now])].map((one) => (
            <option key={one} value={one} selected={one === now}>
              {one < 0 ? t('never') : n('days', one)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
