import './style.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from 'preact';
import { LocationProvider } from 'preact-iso';
import { useState } from 'preact/hooks';
import { makeClient } from './api/queries';
import { App } from './app';
import { catalogueOf, type Language, preferred, remember, type Texts, TextsContext } from './i18n';
import { applyTheme } from './lib/theme';
import { stayCurrent } from './lib/build';

function Root({ first }: { first: Texts }) {
  const [texts, setTexts] = useState(first);
  const choose = async (language: Language) => {
    remember(language);
    document.documentElement.lang = language;
    setTexts({ ...texts, language, catalogue: await catalogueOf(language) });
  };
  return (
    <TextsContext.Provider value={{ ...texts, choose: (language) => void choose(language) }}>
      <LocationProvider scope="/ui">
        <App />
      </LocationProvider>
    </TextsContext.Provider>
  );
}

async function start() {
  applyTheme();
  stayCurrent();
  const language = preferred();
  document.documentElement.lang = language;
  const catalogue = await catalogueOf(language);
  const root = document.getElementById('app');
  if (!root) return;
  render(
    <QueryClientProvider client={makeClient()}>
      <Root first={{ language, catalogue, choose: () => undefined }} />
    </QueryClientProvider>,
    root,
  );
}

void start();
