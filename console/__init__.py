"""The web console: TypeScript in `src/`, and what builds it."""
