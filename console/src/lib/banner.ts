/** Harbor keeps the banner as the text of a JSON object. */
export function bannerText(json: string): string {
  try {
    const { message } = JSON.parse(json) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return json;
  }
}

export function bannerJson(message: string): string {
  return message ? JSON.stringify({ message, closable: false, type: 'info' }) : '';
}
