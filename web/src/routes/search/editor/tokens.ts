// Cuts queries of both languages into coloured parts; only for the eye, the server decides what is right.

export type Language = "search" | "pipe";
export type TokenKind = "field" | "word" | "text" | "number" | "operator" | "regex" | "comment" | "function";

export interface Token {
  from: number;
  to: number;
  kind: TokenKind;
}

const SEARCH =
  /(?<text>"(?:\\.|[^"\\])*"?)|(?<field>(?:[A-Za-z_][\w.]*(?:\."[^"]*")?):)|(?<regex>(?<=:)\/(?:\\.|[^/\\\s])*\/)|(?<operator>\b(?:AND|OR|NOT|TO)\b|&&|\|\||(?<=^|[\s(])[-!](?=\S)|[()[\]{}])|(?<number>(?<=[:\s(>=<[])[+-]?\d[\w.:/+@-]*)|(?<plain>[^\s()"]+)/g;

const PIPE =
  /(?<comment>\/\/[^\n]*)|(?<text>@?"(?:\\.|[^"\\])*"?|@?'(?:\\.|[^'\\])*'?)|(?<operator>\||[=!<>]=?|=~|!~|[-+*/%](?=\s)|\b(?:and|or|not|in|between|has|has_any|contains|contains_cs|startswith|endswith|matches|regex|by|on|asc|desc|nulls|first|last|kind|let|with|from|to|step)\b)|(?<function>[A-Za-z_]\w*(?=\())|(?<number>\b\d+(?:\.\d+)?(?:ms|s|m|h|d|w)?\b)|(?<plain>[A-Za-z_][\w.-]*)/g;

/** The coloured parts in order. */
export function tokens(text: string, language: Language): Token[] {
  return language === "search" ? searchTokens(text) : pipeTokens(text);
}

function searchTokens(text: string): Token[] {
  const list: Token[] = [];
  for (const match of text.matchAll(SEARCH)) {
    const kind = kindOf(match.groups);
    if (kind) list.push({ from: match.index, to: match.index + match[0].length, kind });
  }
  return list;
}

/** The first word of a pipe and of each part behind `|` is one of the language. */
function pipeTokens(text: string): Token[] {
  const list: Token[] = [];
  let head = true;
  for (const match of text.matchAll(PIPE)) {
    const to = match.index + match[0].length;
    const kind = head && match.groups?.plain ? "word" : kindOf(match.groups);
    if (match[0] === "|") head = true;
    else if (!match.groups?.comment) head = false;
    if (kind) list.push({ from: match.index, to, kind });
    else if (match.groups?.plain) list.push({ from: match.index, to, kind: "field" });
  }
  return list;
}

function kindOf(groups: Record<string, string | undefined> | undefined): TokenKind | undefined {
  const named = Object.entries(groups ?? {}).find(([name, value]) => value !== undefined && name !== "plain");
  return named?.[0] as TokenKind | undefined;
}
