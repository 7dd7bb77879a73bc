/**
 * The text as one line that every subtitle reader can take: control characters and line breaks become a space,
 * runs of spaces one space, halves of broken characters U+FFFD. Letters and direction marks stay as they are.
 */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
