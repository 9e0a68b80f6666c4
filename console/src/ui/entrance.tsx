import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import mark from '../mark.svg';
import { Preferences } from './shell';

interface EntranceProps {
  /** What the page is called, in the tab. */
  name: string;
  title: string;
  onSubmit: (form: FormData) => Promise<void>;
  /** What stands below the form beside the preferences. */
  foot?: ComponentChildren;
  children: ComponentChildren;
}

/** A page before the console: one form, and whose registry it is. */
export function Entrance({ name, title, onSubmit, foot, children }: EntranceProps) {
  useEffect(() => {
    document.title = `${name} · Roadstead`;
  }, [name]);
  return (
    <main class="sign-in" style={{ maxWidth: 'none' }}>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void onSubmit(new FormData(event.currentTarget));
        }}
      >
        <div class="title">
          <img src={mark} alt="" width={36} height={36} />
          <div>
            <h1>{title}</h1>
            <div class="muted break">{window.location.host}</div>
          </div>
        </div>
        {children}
      </form>
      <div class="foot">
        {foot}
        <Preferences />
      </div>
    </main>
  );
}
