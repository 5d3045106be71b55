// Takes the judge's summary apart into sentences and the steps it tells with their times (UTC).

export interface Story {
  /** What comes before the steps: when, who, with what. */
  lead: string;
  steps: { timeMs: number; text: string }[];
  /** What became of it. */
  end: string;
}

const STEP_BEGINS = /(?=\d{4}-\d\d-\d\d \d\d:\d\d[:：])/;
const STEP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d)[:：]\s*(.*?(?:"\)\.|」）。))\s*(.*)$/s;

/** The parts of a summary; one that is worded otherwise is all lead. */
export function storyOf(summary: string): Story {
  const [lead = "", ...rest] = summary.split(STEP_BEGINS);
  const story: Story = { lead: lead.trim(), steps: [], end: "" };
  for (const [i, piece] of rest.entries()) {
    const match = STEP.exec(piece);
    const after = match?.[4] ?? "";
    if (!match || (after !== "" && i < rest.length - 1)) return { lead: summary, steps: [], end: "" };
    story.steps.push({ timeMs: Date.parse(`${match[1]}T${match[2]}:00Z`), text: (match[3] ?? "").replace(/[.。]$/, "") });
    story.end = after;
  }
  return story;
}
