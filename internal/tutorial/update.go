package tutorial

import "strings"

// Update returns the text of a page with the output of its commands replaced; printed has the new output by the line of each command.
// Elided lines stay elided. Where the page's lines are no longer in the output, it keeps them: a person chooses what to show.
func Update(text string, page Page, printed map[int]string) string {
	lines := strings.Split(text, "\n")
	for _, part := range page.Parts {
		for _, command := range part.Commands {
			output, ok := printed[command.Line]
			if !ok {
				continue
			}
			found, err := match(command.Want, output)
			if err != nil {
				continue
			}
			now := strings.Split(output, "\n")
			first := command.Line + strings.Count(command.Text, "\n") // of the output, from 0
			for i, at := range found {
				if at >= 0 && !strings.Contains(command.Want[i], elision) {
					lines[first+i] = strings.TrimRight(now[at], " ")
				}
			}
		}
	}
	return strings.Join(lines, "\n")
}
