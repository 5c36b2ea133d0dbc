package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

// manCommand is `tracelab man`.
type manCommand struct{}

// Run prints the manual page.
func (c *manCommand) Run(s *streams) error {
	parser, err := s.parser(&commands{}) // a model of its own, whose texts are changed below
	if err != nil {
		return err
	}
	forRoff(parser.Model.Node)
	parser.Model.Detail = roffText("The services, the client and an embedded Kafka run in one process, on loopback, unless flags name others. " +
		"Reports go to standard output, progress and what is said beside them to standard error.")
	page := mangokong.NewManPage(1, parser.Model).
		WithSection("Examples", roffText(manExamples(parser.Model))).
		WithSection("Environment", roffText("Each flag has a variable, which its help names. NO_COLOR: no colors. LC_ALL, LC_CTYPE, LANG: with a locale that has no UTF-8, such as C, text is ASCII.")).
		WithSection("Exit status", roffText("0: done. 1: the thing asked about is not so. 2: the command line is wrong. 3: an input could not be read."))
	text := strings.Replace(page.Build(&heading{roff.NewDocument()}), time.Time{}.Format(time.DateOnly), "", 1) // the same program prints the same page
	if _, err := fmt.Fprintln(s.out, text); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// heading is a document whose head has no day, and the manual's name in the place of the long description.
type heading struct{ *roff.Document }

// Heading begins the page.
func (d *heading) Heading(section uint, title, _ string, _ time.Time) {
	d.Document.Heading(section, title, "User Commands", time.Time{})
}

// forRoff prepares the texts of a command, and of those below it.
func forRoff(node *kong.Node) {
	node.Help, node.Detail = roffText(node.Help), "" // examples have a section of their own
	for _, argument := range node.Positional {
		node.Help += fmt.Sprintf(" %s: %s", argument.Name, roffText(argument.Help))
	}
	for _, flag := range node.Flags {
		flag.Help = roffText(flag.Help)
	}
	for _, below := range node.Children {
		forRoff(below)
	}
}

// roffText doubles the percent signs of a text, which the library takes for verbs.
func roffText(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// manExamples lists the examples of all commands, in the order of the commands.
func manExamples(app *kong.Application) string {
	all := examples()
	var lines []string
	for _, node := range append([]*kong.Node{app.Node}, app.Leaves(true)...) {
		for _, e := range all[pathOf(node)] {
			lines = append(lines, fmt.Sprintf("*%s (%s)", e.line, e.what))
		}
	}
	return strings.Join(lines, "\n")
}
