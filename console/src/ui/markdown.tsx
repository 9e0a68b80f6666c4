import DOMPurify from 'dompurify';
import { Marked } from 'marked';
import { useEffect, useRef } from 'preact/hooks';

// What a README may have. Links leave by a new tab and tell nobody where from; images of other hosts are not loaded.
const ALLOWED = {
  ALLOWED_TAGS: 'a abbr b blockquote br code dd del details dl dt em h1 h2 h3 h4 h5 h6 hr i kbd li ol p pre s strong sub summary sup table tbody td th thead tr ul'.split(' '),
  ALLOWED_ATTR: ['href', 'title', 'align', 'start'],
  ALLOWED_URI_REGEXP: /^(https?|mailto):/i,
  RETURN_DOM_FRAGMENT: true as const,
};

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** HTML in Markdown counts as its text: parsed even to be cleaned, it would make the browser report the policy's violation. */
const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => text.replace(/<!--[^]*?-->|<[^>]*>/g, '').replace(/[&<>"']/g, (one) => ESCAPES[one] ?? one),
  },
});

/** Markdown that somebody pushed. */
export function Markdown({ text }: { text: string }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const html = marked.parse(text, { async: false });
    const fragment = DOMPurify.sanitize(html, ALLOWED);
    for (const link of fragment.querySelectorAll('a')) {
      link.rel = 'noopener noreferrer nofollow';
      link.target = '_blank';
    }
    // The page has one first heading, and a second one above this text: its own begin at the third.
    const headings = [...fragment.querySelectorAll('h1, h2, h3, h4, h5, h6')];
    const first = Math.min(...headings.map((heading) => Number(heading.tagName[1])));
    for (const heading of headings) {
      const level = document.createElement(`h${Math.min(6, Number(heading.tagName[1]) - first + 3)}`);
      level.append(...heading.childNodes);
      heading.replaceWith(level);
    }
    ref.current?.replaceChildren(fragment);
  }, [text]);
  return <div class="prose" ref={ref} />;
}
