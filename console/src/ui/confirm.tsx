import type { ComponentChildren } from 'preact';
import { useTexts } from '../i18n';
import { Button, Dialog } from './controls';
import { Failure } from './feedback';

interface ConfirmProps {
  title: string;
  verb: string;
  onClose: () => void;
  action: { isPending: boolean; isError: boolean; error: unknown };
  go: () => void;
  children: ComponentChildren;
}

/** Asks before something goes, and names what goes with it. */
export function Confirm({ title, verb, onClose, action, go, children }: ConfirmProps) {
  const { t } = useTexts();
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {action.isError && <Failure error={action.error} />}
      <div class="actions">
        <Button onClick={onClose} autoFocus>
          {t('cancel')}
        </Button>
        <Button kind="harm primary" disabled={action.isPending} onClick={go}>
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}
