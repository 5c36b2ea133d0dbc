//go:build linux || darwin

package stack

import (
	"slices"
	"strings"
	"testing"

	"tracelab/internal/parts"
	"tracelab/internal/rabbitmq"
)

// plannedWith is the plan of the real compose.yaml when these variables are set.
func plannedWith(t *testing.T, set map[string]string) plan {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	variables, profiles, _ := optional(func(name string) (string, bool) { value, ok := set[name]; return value, ok })
	for name, value := range set {
		variables = append(variables, name+"="+value)
	}
	project, err := Load(t.Context(), root, append(variables, "COMPOSE_PROFILES=full"), append(profiles, "full", runService)...)
	if err != nil {
		t.Fatal(err)
	}
	book, err := newAddressBook(project, false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := makePlan(project, book, layout{root: root, state: "/state"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p plan) index(name string) int {
	return slices.IndexFunc(p.steps, func(s step) bool { return s.name == name })
}

// TestThePostgresThatStoreNames is started before the services, which find it at its address here.
func TestThePostgresThatStoreNames(t *testing.T) {
	p := plannedWith(t, map[string]string{"STORE": "postgres://postgres@postgres:5432/postgres", "RABBITMQ": ""})
	if address := p.named(t, postgresService).address; address != "127.0.0.1:5432" {
		t.Errorf("PostgreSQL is at %q", address)
	}
	for _, service := range []string{"gateway", "orders", "payment"} {
		if p.index(service) < p.index(postgresService) {
			t.Errorf("%s starts before PostgreSQL", service)
		}
		if store := p.named(t, service).variable(t, "TRACELAB_STORE"); store != "postgres://postgres@127.0.0.1:5432/postgres" {
			t.Errorf("%s keeps its state in %s", service, store)
		}
	}
}

// TestTheRabbitMQOfAStack is there unless RABBITMQ says otherwise, and before the services, which find it at its address here.
func TestTheRabbitMQOfAStack(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		ours bool
		at   string // for the services and tests
	}{
		"named":       {map[string]string{"RABBITMQ": "rabbitmq:5672"}, true, "127.0.0.1:5672"},
		"none":        {map[string]string{"RABBITMQ": ""}, false, ""},
		"another one": {map[string]string{"RABBITMQ": "127.0.0.1:15672"}, false, "127.0.0.1:15672"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plannedWith(t, c.set)
			if ours := p.index(rabbitmqService) >= 0; ours != c.ours || p.addresses["RABBITMQ_ADDR"] != c.at {
				t.Errorf("started here: %v, at %q, want %v and %q", ours, p.addresses["RABBITMQ_ADDR"], c.ours, c.at)
			}
			scraped := strings.Contains(p.named(t, "prometheus").files["/state/files/prometheus/prometheus.yaml"], `static_configs: [{targets: ["127.0.0.1:15692"]}]`)
			if scraped != c.ours {
				t.Errorf("its queues are scraped: %v, want %v", scraped, c.ours)
			}
			if page := "127.0.0.1:15692"; c.ours && (p.named(t, rabbitmqService).metrics != page || p.named(t, rabbitmqService).health != "http://"+page+"/metrics") {
				t.Errorf("its page is %+v, want it at %s", p.named(t, rabbitmqService), page)
			}
			for _, service := range []string{"gateway", "orders", "payment"} {
				if got := p.named(t, service).variable(t, "TRACELAB_RABBITMQ"); got != c.at {
					t.Errorf("%s finds it at %q, want %q", service, got, c.at)
				}
				if c.ours && (p.index(rabbitmqService) > p.index("rabbitmq-ready") || p.index("rabbitmq-ready") > p.index(service)) {
					t.Errorf("%s starts before RabbitMQ", service)
				}
			}
		})
	}
}

// TestRabbitMQIsThereWhereItIsInstalled looks at what nobody has said anything about.
func TestRabbitMQIsThereWhereItIsInstalled(t *testing.T) {
	variables, profiles, missing := optional(func(string) (string, bool) { return "", false })
	if rabbitmq.Installed() != nil {
		if missing == nil || len(variables)+len(profiles) > 0 {
			t.Errorf("without the package: %q, %q, %v", variables, profiles, missing)
		}
		return
	}
	if missing != nil || !slices.Equal(variables, []string{"RABBITMQ=rabbitmq:5672"}) || !slices.Equal(profiles, []string{"brokers"}) {
		t.Errorf("with the package: %q, %q, %v", variables, profiles, missing)
	}
}
