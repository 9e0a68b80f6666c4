import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { en } from './en';

export type Message = keyof typeof en;
export type Catalogue = Record<Message, string>;
type Values = Record<string, string | number>;

/** The languages by their tags, each named in itself. */
export const LANGUAGES = { en: 'English', 'zh-Hant': '繁體中文', 'zh-Hans': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = 'roadstead.language';

export async function catalogueOf(language: Language): Promise<Catalogue> {
  if (language === 'zh-Hant') return (await import('./zh-Hant')).zhHant;
  if (language === 'zh-Hans') return (await import('./zh-Hans')).zhHans;
  return en;
}

/** The language that was chosen, else the first of the browser's that there is, else English. */
export function preferred(): Language {
  const chosen = localStorage.getItem(STORED);
  if (chosen && chosen in LANGUAGES) return chosen as Language;
  for (const tag of navigator.languages) {
    const locale = localeOf(tag);
    if (!locale) continue;
    if (locale.language === 'en') return 'en';
    if (locale.language === 'zh') return locale.script === 'Hans' ? 'zh-Hans' : 'zh-Hant';
  }
  return 'en';
}

/** A browser's language in full; null for text that names no language, such as `en-US@posix`. */
function localeOf(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag).maximize();
  } catch {
    return null;
  }
}

export function remember(language: Language): void {
  localStorage.setItem(STORED, language);
}

export interface Texts {
  language: Language;
  catalogue: Catalogue;
  choose: (language: Language) => void;
}

export const TextsContext = createContext<Texts>({ language: 'en', catalogue: en, choose: () => undefined });

const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g; // characters that turn the text after them around

/** A message with its `{names}` filled in. A value cannot turn around the words that follow it. */
export function filled(message: string, values?: Values): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values?.[name] ?? whole).replace(DIRECTIONS, ''));
}

/** `t` for messages; `n` for those with a count, which have a form `….one` and a form `….other`. */
export function useTexts() {
  const { language, catalogue, choose } = useContext(TextsContext);
  const t = (message: Message, values?: Values) => filled(catalogue[message], values);
  const n = (message: Counted, value: number, values?: Values) => {
    const form = new Intl.PluralRules(language).select(value) === 'one' ? 'one' : 'other';
    return filled(catalogue[`${message}.${form}` as Message], { count: value.toLocaleString(language), ...values });
  };
  return { t, n, language, choose };
}

export type Counted = Message extends infer M ? (M extends `${infer Stem}.one` ? Stem : never) : never;
