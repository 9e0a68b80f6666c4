const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size in binary units with three significant digits: `0 B`, `1.50 KiB`, `12.3 MiB`. */
export function bytes(size: number, language?: string): string {
  let value = size;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text} ${UNITS[unit]}`;
}

export function count(value: number, language?: string): string {
  return value.toLocaleString(language);
}

/** USD with cents; what is more than nothing and less than a cent says so. */
export function dollars(amount: number, language?: string): string {
  const text = (value: number) => value.toLocaleString(language, { style: 'currency', currency: 'USD' });
  return amount > 0 && amount < 0.01 ? `< ${text(0.01)}` : text(amount);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `2 hours ago` or `in 3 months`, to the nearest unit; null within a minute of `now`, for which Intl has no natural word. */
export function relative(time: Date, now: Date, language?: string): string | null {
  const seconds = (time.getTime() - now.getTime()) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, length] of STEPS)
    if (Math.abs(seconds) >= length) return format.format(rounded(seconds / length), unit);
  return null;
}

/** What has passed counts whole, as ages do; what is to come counts to the nearest: 89.9 days are 3 months, not 2. */
function rounded(value: number): number {
  return value < 0 ? Math.trunc(value) : Math.round(value);
}

/** The full time in the reader's zone, with the zone's name. */
export function absolute(time: Date, language?: string): string {
  return time.toLocaleString(language, { dateStyle: 'medium', timeStyle: 'long' });
}

/** A date, or null for what Harbor writes where there is none: nothing, or the year 1. */
export function timeOf(text: string | null | undefined): Date | null {
  if (!text) return null;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() <= 1 ? null : time;
}

/** `sha256:0a1b2c3d4e5f` of a digest. */
export function shortDigest(digest: string): string {
  const [algorithm, hex = ''] = digest.split(':');
  return hex ? `${algorithm}:${hex.slice(0, 12)}` : digest;
}
