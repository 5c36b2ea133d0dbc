package main

import (
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// withoutForeignFormat gives a command its default format when TRACELAB_FORMAT names one that it does not have: one variable
// serves all commands, and each has formats of its own. Whoever writes --format decides.
func (s *streams) withoutForeignFormat(ctx *kong.Context) error {
	for _, flag := range ctx.Flags() {
		if flag.Name != "format" || flag.Target.String() == "" || slices.Contains(flag.EnumSlice(), flag.Target.String()) {
			continue
		}
		named := slices.ContainsFunc(ctx.Path, func(p *kong.Path) bool { return p.Flag == flag })
		if _, set := os.LookupEnv(flag.Envs[0]); set && !named {
			command, _, _ := strings.Cut(ctx.Command(), " <") // without its arguments
			s.talk("%s has no format %s, which %s names: it prints %s", command, flag.Target.String(), flag.Envs[0], flag.Default)
		}
		flag.Target.SetString(flag.Default)
	}
	return nil
}
