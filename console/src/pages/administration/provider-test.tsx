import { CircleCheck, PlugZap } from 'lucide-preact';
import { useState } from 'preact/hooks';
import type { Verdict } from '../../api/providers';
import { useAction } from '../../api/queries';
import { type Message, useTexts } from '../../i18n';
import { en } from '../../i18n/en';
import { Button, SMALL } from '../../ui/controls';
import { Failure } from '../../ui/feedback';

/** Tests what stands in the form, saved or not. */
export function Test({ run, off }: { run: () => Promise<Verdict>; off: boolean }) {
  const { t } = useTexts();
  const [verdict, setVerdict] = useState<Verdict | undefined>(undefined);
  const test = useAction(async () => {
    setVerdict(undefined);
    setVerdict(await run());
  });
  return (
    <>
      <Button icon={PlugZap} disabled={off || test.isPending} onClick={() => test.mutate()}>
        {t('providers.test')}
      </Button>
      <div role="status" style={{ flexBasis: '100%' }}>
        {test.isPending && <span class="muted">{t('providers.testing')}</span>}
        {verdict === null && (
          <span class="with-icon good">
            <CircleCheck size={SMALL} aria-hidden="true" />
            {t('providers.works')}
          </span>
        )}
        {verdict && (
          <div class="stack" style={{ gap: '4px' }}>
            {verdict.step && (
              <p class="danger">
                <b>{t('providers.failed', { step: verdict.step })}</b>
              </p>
            )}
            {`providers.step.${verdict.step}` in en && <p>{t(`providers.step.${verdict.step}` as Message)}</p>}
            <p class="small muted break" lang="en">
              {verdict.reason}
            </p>
          </div>
        )}
        {test.isError && <Failure error={test.error} />}
      </div>
    </>
  );
}
