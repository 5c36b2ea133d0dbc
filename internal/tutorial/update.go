package tutorial

import "strings"

// Update returns the text of a page with what its commands print now, by the line of each command. Elided lines stay elided. Where the
// lines of the page are no longer among those that are printed, the page keeps its own: what to show is for a person to choose.
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
