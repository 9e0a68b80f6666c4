import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import type { Configurations } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { bannerJson, bannerText } from '../../lib/banner';
import { Button, Field } from '../../ui/controls';
import { Failure } from '../../ui/feedback';

type Key = keyof Configurations;
type Kind = 'flag' | 'number' | 'text' | readonly string[];

/** What is shown, in which order, and as what. The rest of Harbor's keys is for its API alone. */
const SECTIONS: [Message, [Key, Kind][]][] = [
  [
    'configuration.registry',
    [
      ['banner_message', 'text'],
      ['read_only', 'flag'],
      ['project_creation_restriction', ['adminonly', 'everyone']],
    ],
  ],
  [
    'configuration.robots',
    [
      ['robot_name_prefix', 'text'],
      ['robot_token_duration', 'number'],
    ],
  ],
];

export function Configuration() {
  const { t } = useTexts();
  const found = useOne(['configurations'], () => api.GET('/api/v2.0/configurations', {}));
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <span class="skeleton" />;
  const values = found.data;
  return (
    <div class="stack narrow">
      {SECTIONS.map(([title, keys]) => (
        <Section key={title} title={t(title)} keys={keys.filter(([key]) => key in values)} values={values} />
      ))}
    </div>
  );
}

function Section({ title, keys, values }: { title: string; keys: [Key, Kind][]; values: Configurations }) {
  const { t } = useTexts();
  const [changed, setChanged] = useState<Record<string, string | number | boolean>>({});
  const save = useAction(() => api.PUT('/api/v2.0/configurations', { body: changed }), {
    refresh: ['configurations', 'system'],
    done: t('configuration.saved'),
    then: () => setChanged({}),
  });
  const valueOf = (key: Key) => (key in changed ? changed[key] : (values[key] as { value: unknown }).value);
  const set = (key: Key, value: string | number | boolean) => setChanged({ ...changed, [key]: value });
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
          const editable = (values[key] as { editable: boolean }).editable;
          const label = t(`configuration.${key}` as Message);
          if (kind === 'flag')
            return (
              <label class="choice" key={key}>
                <input
                  type="checkbox"
                  checked={Boolean(valueOf(key))}
                  disabled={!editable}
                  onChange={(event) => set(key, event.currentTarget.checked)}
                />
                <span>
                  {label}
                  <small>{t(`configuration.${key}.hint` as Message)}</small>
                </span>
              </label>
            );
          return (
            <Field key={key} label={label} hint={t(`configuration.${key}.hint` as Message)}>
              {(at) =>
                Array.isArray(kind) ? (
                  <select {...at} value={String(valueOf(key))} disabled={!editable} onChange={(event) => set(key, event.currentTarget.value)}>
                    {kind.map((one: string) => (
                      <option key={one} value={one}>
                        {t(`configuration.${key}.${one}` as Message)}
                      </option>
                    ))}
                  </select>
                ) : (
                  <input
                    {...at}
                    type={kind === 'number' ? 'number' : 'text'}
                    value={key === 'banner_message' ? bannerText(String(valueOf(key))) : String(valueOf(key))}
                    disabled={!editable}
                    onInput={(event) => {
                      const text = event.currentTarget.value;
                      set(key, kind === 'number' ? Number(text) : key === 'banner_message' ? bannerJson(text) : text);
                    }}
                  />
                )
              }
            </Field>
          );
        })}
      </div>
      <footer>
        <Button type="submit" kind="primary" disabled={save.isPending || Object.keys(changed).length === 0}>
          {t('save')}
        </Button>
      </footer>
    </form>
  );
}
