import { api } from '../../api/client';
import { useOne } from '../../api/queries';
import { type Message, useTexts } from '../../i18n';
import { type Key, type Kind, Section } from '../../parts/settings';
import { Failure } from '../../ui/feedback';

/** What is shown, in which order, and as what. The rest of Harbor's keys is for its API, or for the page of sign-in. */
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
      ['keyless_issuers', 'text'],
    ],
  ],
];

export function useConfigurations() {
  return useOne(['configurations'], () => api.GET('/api/v2.0/configurations', {}));
}

export function Configuration() {
  const { t } = useTexts();
  const found = useConfigurations();
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <span class="skeleton" />;
  const values = found.data;
  return (
    <div class="stack narrow">
      {SECTIONS.map(([title, keys]) => (
        <Section key={title} title={t(title)} keys={keys} values={values} />
      ))}
    </div>
  );
}
