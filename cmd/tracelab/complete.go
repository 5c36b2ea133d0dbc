package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand is the hidden `tracelab __complete`, which the scripts of `tracelab completion` call. It prints a line for each word that may
// stand at the cursor, with a tab and what it means, and for the shell:
//
//	:lead=TEXT  what of the word at the cursor stands before its last = or :, where some shells break words
//	:files      the names of files may stand there, too; the shell completes them
//	:folders    the names of folders, likewise
type completeCommand struct {
	Words []string `arg:"" optional:"" help:"Behind --, the words of the command line up to the cursor; the last one is being typed."`
}

// Run prints what may stand at the cursor.
func (c *completeCommand) Run(ctx *kong.Context, s *streams) error {
	found := complete(ctx.Model, c.Words)
	if found.lead != "" {
		if err := s.say(":lead=%s", found.lead); err != nil {
			return err
		}
	}
	for _, w := range found.words {
		if err := s.say("%s\t%s", w.word, w.what); err != nil {
			return err
		}
	}
	if found.names == "" {
		return nil
	}
	return s.say(":%s", found.names)
}

// Names that a shell completes itself.
const (
	fileNames   = "files"
	folderNames = "folders"
)

// word is a word that may stand at the cursor.
type word struct{ word, what string }

// completions are what may stand at the cursor.
type completions struct {
	lead  string
	words []word
	names string // fileNames, folderNames or ""
}

// complete finds what may stand in the place of the last word.
func complete(app *kong.Application, words []string) completions {
	words = unbroken(words)
	typed := words[len(words)-1]
	at := placeOf(app, words[:len(words)-1])
	var found completions
	lead := ""
	name, part, joined := strings.Cut(typed, "=")
	switch {
	case at.value != nil:
		found = valuesOf(at, at.value, typed)
	case joined && strings.HasPrefix(typed, "--"):
		if flag := at.flag(name); flag != nil {
			lead = name + "="
			found = valuesOf(at, flag.Value, part)
		}
	case strings.HasPrefix(typed, "-") && !at.argumentsOnly:
		found.words = at.flags()
	default:
		found = at.commandsOrArguments(typed)
	}
	kept := found.words[:0]
	for _, w := range found.words {
		if w.word = lead + w.word; strings.HasPrefix(w.word, typed) {
			kept = append(kept, w)
		}
	}
	found.words = kept
	if i := strings.LastIndexAny(typed, "=:"); i >= 0 {
		found.lead = typed[:i+1]
	}
	return found
}

// unbroken joins words that bash breaks at = and :, and adds the word that is being typed when there is none.
func unbroken(words []string) []string {
	var whole []string
	glue := false
	for _, w := range words {
		if broken := w == "=" || w == ":"; (broken || glue) && len(whole) > 0 {
			whole[len(whole)-1] += w
			glue = broken
			continue
		}
		whole = append(whole, w)
	}
	if len(whole) == 0 {
		return []string{""}
	}
	return whole
}

// cursor is where the cursor stands.
type cursor struct {
	app           *kong.Application
	command       *kong.Node
	value         *kong.Value // whose value is being typed, behind a flag
	arguments     []string    // that stand before it
	argumentsOnly bool        // behind --
	flow          string      // that the line names, or ""
	helped        bool        // behind the word help: commands are named, and not called
}

// placeOf walks along the words before the cursor.
func placeOf(app *kong.Application, before []string) cursor {
	at := cursor{app: app, command: app.Node}
	for i := 0; i < len(before); i++ {
		w := before[i]
		name, value, joined := strings.Cut(w, "=")
		switch {
		case at.argumentsOnly || !strings.HasPrefix(w, "-"):
			at.word(w)
		case w == "--":
			at.argumentsOnly = true
		default:
			flag := at.flag(name)
			if flag == nil || flag.IsBool() {
				continue
			}
			if !joined && i == len(before)-1 {
				at.value = flag.Value
				return at
			}
			if !joined {
				i++
				value = before[i]
			}
			if flag.Name == "flow" {
				at.flow = value
			}
		}
	}
	return at
}

// word goes on to a command, or counts an argument.
func (p *cursor) word(w string) {
	i := slices.IndexFunc(p.command.Children, func(n *kong.Node) bool { return n.Name == w })
	switch {
	case i < 0:
		p.arguments = append(p.arguments, w)
	case p.command.Children[i].Target.Type() == helpTarget() && !p.helped:
		p.helped = true
	default:
		p.command = p.command.Children[i]
	}
}

// flag finds a flag of the command, or of those above it, by what stands on the line; nil when there is none.
func (p *cursor) flag(text string) *kong.Flag {
	for _, level := range p.command.AllFlags(true) {
		for _, flag := range level {
			if "--"+flag.Name == text || flag.Short != 0 && "-"+string(flag.Short) == text {
				return flag
			}
		}
	}
	return nil
}

// flags lists them: those of the command first.
func (p *cursor) flags() []word {
	var list []word
	levels := p.command.AllFlags(true)
	slices.Reverse(levels)
	for _, level := range levels {
		for _, flag := range level {
			list = append(list, word{"--" + flag.Name, firstSentence(flag.Help)})
		}
	}
	return list
}

// commandsOrArguments lists what stands where no flag does.
func (p *cursor) commandsOrArguments(typed string) completions {
	var found completions
	for _, n := range p.command.Children {
		if !n.Hidden && len(p.arguments) == 0 {
			found.words = append(found.words, word{n.Name, firstSentence(n.Help)})
		}
	}
	positional := p.command.Positional
	if len(positional) == 0 || p.helped {
		return found
	}
	i := min(len(p.arguments), len(positional)-1)
	if i < len(p.arguments) && !positional[i].IsCumulative() {
		return found // all that it takes are there
	}
	return valuesOf(*p, positional[i], typed)
}

// firstSentence shortens a help text to what fits beside a word.
func firstSentence(text string) string {
	const most = 70
	text, _, _ = strings.Cut(strings.TrimSuffix(strings.ReplaceAll(text, "\n", " "), "."), ". ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// plainWords makes words that need no explanation.
func plainWords(names ...string) []word {
	words := make([]word, len(names))
	for i, name := range names {
		words[i] = word{word: name}
	}
	return words
}

// withPrefix puts what is typed already before each word.
func withPrefix(prefix string, words []word) []word {
	for i := range words {
		words[i].word = fmt.Sprint(prefix, words[i].word)
	}
	return words
}
