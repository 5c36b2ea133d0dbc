//go:build linux || darwin

package stack

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Load reads compose.yaml and .env in root, with the given profiles; environment (KEY=VALUE) goes before .env. Nothing of this process's own
// environment is read.
func Load(ctx context.Context, root string, environment []string, profiles ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "compose.yaml")},
		cli.WithWorkingDirectory(root), cli.WithEnv(environment), cli.WithEnvFiles(filepath.Join(root, ".env")), cli.WithDotEnv,
		cli.WithProfiles(profiles))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

// inOrder returns the services of the project, each after those that it depends on, otherwise by the alphabet; those that wait for all
// others without naming them, one-shots that nothing depends on, come last.
func inOrder(project *types.Project) ([]types.ServiceConfig, error) {
	needed := map[string]bool{}
	for _, service := range project.Services {
		for name := range service.DependsOn {
			needed[name] = true
		}
	}
	var order, last []types.ServiceConfig
	state := map[string]int{} // 1: being visited, 2: done
	var visit func(name string) error
	visit = func(name string) error {
		service, known := project.Services[name]
		switch {
		case !known:
			return fmt.Errorf("compose.yaml: a service depends on %s, which is not there", name)
		case state[name] == 1:
			return fmt.Errorf("compose.yaml: %s depends on itself", name)
		case state[name] == 2:
			return nil
		}
		state[name] = 1
		for _, dependency := range slices.Sorted(maps.Keys(service.DependsOn)) {
			if _, there := project.Services[dependency]; !there && !service.DependsOn[dependency].Required {
				continue // of a profile that is off
			}
			if err := visit(dependency); err != nil {
				return err
			}
		}
		state[name] = 2
		if isOneShot(service) && !needed[name] {
			last = append(last, service)
		} else {
			order = append(order, service)
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return append(order, last...), nil
}

// isOneShot reports whether a service does one thing and ends.
func isOneShot(service types.ServiceConfig) bool { return service.Restart == types.RestartPolicyNo }
