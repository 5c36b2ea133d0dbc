// Package report writes journeys and comparisons: as text for terminals, as JSON for programs, and as one HTML file that
// needs nothing else.
//
//	err := report.Journey{Of: j}.WriteText(os.Stdout, format.Style{Color: true})
//	err := report.Journey{Of: j}.WriteJSON(os.Stdout)
//	err := report.Bars{Title: "kafka", Set: j.Set(), Path: j.CompletionPath()}.WriteText(os.Stdout, format.Style{})
//	err := report.Comparison{Of: compare.Groups(groups)}.WriteText(os.Stdout, format.Style{})
//	err := report.Comparison{Of: compare.Groups(groups), Findings: findings}.WriteHTML(file)
//
// The output depends on nothing but the report and the style. Names come from whoever made the traces, so characters that a
// terminal or a browser would obey are shown as escapes.
package report
