import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { useAction } from '../api/queries';
import type { Configurations } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { en } from '../i18n/en';
import { bannerJson, bannerText } from '../lib/banner';
import { Button } from '../ui/controls';
import { Field } from '../ui/fields';
import { Failure } from '../ui/feedback';

export type Key = keyof Configurations | 'ldap_search_password' | 'oidc_client_secret';
/** A list is of choices. `scope` is how deep a directory is searched. A `secret` is never shown, and stays while it is empty. */
export type Kind = 'flag' | 'number' | 'text' | 'secret' | 'scope' | readonly string[];
type Value = string | number | boolean;

const SCOPES = ['0', '1', '2'] as const;

interface SectionProps {
  title: string;
  keys: readonly (readonly [Key, Kind])[];
  values: Configurations;
  /** What stands beside the button that saves, for the values as they are in the form. */
  beside?: (value: (key: Key) => Value) => ComponentChildren;
  children?: ComponentChildren;
}

/** Some keys of the configuration as a form. Only what was changed is saved. */
export function Section({ title, keys, values, beside, children }: SectionProps) {
  const { t } = useTexts();
  const [changed, setChanged] = useState<Record<string, Value>>({});
  const save = useAction(() => api.PUT('/api/v2.0/configurations', { body: changed }), {
    refresh: ['configurations', 'system', 'providers'],
    done: t('configuration.saved'),
    then: () => setChanged({}),
  });
  const kept = (key: Key): { value: Value; editable: boolean } =>
    key in values ? values[key as keyof Configurations] : { value: '', editable: true };
  const valueOf = (key: Key): Value => changed[key] ?? kept(key).value;
  const set = (key: Key, value: Value) => {
    const next = { ...changed, [key]: value };
    if (value === kept(key).value) delete next[key];
    setChanged(next);
  };
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <header>
        <h2>{title}</h2>
      </header>
      <div class="body form">
        {save.isError && <Failure error={save.error} />}
        {keys.map(([key, kind]) => {
          const disabled = !kept(key).editable;
          const label = t(`configuration.${key}` as Message);
          const name = `configuration.${key}.hint`;
          const hint = name in en ? t(name as Message) : undefined;
          if (kind === 'flag')
            return (
              <label class="choice" key={key}>
                <input
                  type="checkbox"
                  checked={Boolean(valueOf(key))}
                  disabled={disabled}
                  onChange={(event) => set(key, event.currentTarget.checked)}
                />
                <span>
                  {label}
                  {hint && <small>{hint}</small>}
                </span>
              </label>
            );
          const choices = kind === 'scope' ? SCOPES : Array.isArray(kind) ? (kind as readonly string[]) : null;
          const read = (text: string) => (typeof kept(key).value === 'number' ? Number(text) : text);
          return (
            <Field key={key} label={label} hint={hint}>
              {(at) =>
                choices ? (
                  <select {...at} value={String(valueOf(key))} disabled={disabled} onChange={(event) => set(key, read(event.currentTarget.value))}>
                    {choices.map((one) => (
                      <option key={one} value={one}>
                        {t(`configuration.${kind === 'scope' ? 'scope' : key}.${one}` as Message)}
                      </option>
                    ))}
                  </select>
                ) : (
                  <input
                    {...at}
                    type={kind === 'number' ? 'number' : kind === 'secret' ? 'password' : 'text'}
                    autoComplete={kind === 'secret' ? 'new-password' : 'off'}
                    autoCapitalize="none"
                    spellcheck={key === 'banner_message'}
                    value={key === 'banner_message' ? bannerText(String(valueOf(key))) : String(valueOf(key))}
                    disabled={disabled}
                    onInput={(event) => {
                      const text = event.currentTarget.value;
                      set(key, key === 'banner_message' ? bannerJson(text) : read(text));
                    }}
                  />
                )
              }
            </Field>
          );
        })}
        {children}
      </div>
      <footer>
        <Button type="submit" kind="primary" disabled={save.isPending || Object.keys(changed).length === 0}>
          {t('save')}
        </Button>
        {beside?.(valueOf)}
      </footer>
    </form>
  );
}
