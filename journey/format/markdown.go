package format

import "strings"

// Markdown escapes text from outside for Markdown as GitHub renders it, also in a cell of a table: what is in it stays text, and nobody is
// mentioned by it.
func Markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`, "@", "@\u200b").Replace(Escape(text))
}
