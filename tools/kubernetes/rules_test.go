package kubernetes_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
)

// rule is something that the manifests keep; check returns what is against it.
type rule struct {
	name  string
	check func(objects) []string
}

var rules = []rule{
	{"images have a version", each(func(p pod) []string {
		version := regexp.MustCompile(`:(local|\d+\.\d+\.\d+)$`)
		return unless(version.MatchString(p.container.Image), "image %s", p.container.Image)
	})},
	{"memory has a limit that is asked for, and Go knows less", each(limits)},
	{"nobody is root, and nothing is writable", each(hardened)},
	{"services have probes at ports that exist", each(probes)},
	{"selectors match labels", selectors},
	{"variables and keys exist", each(variables)},
	{"a watcher's instance is its pod's name", each(func(p pod) []string {
		ok := p.kind == "Deployment" || slices.Contains(p.container.Args, "--instance=$(POD_NAME)") && fieldOf(p.container, "POD_NAME") == "metadata.name"
		return unless(ok, "arguments %q: two watchers of one name would push each other out", p.container.Args)
	})},
	{"no more watchers than partitions", partitions},
	{"watchers grow by what they are behind and by load", scaled},
	{"every service is reached where it listens", addresses},
	{"a watcher's stop and one service's outage are bounded", func(o objects) (found []string) {
		for _, b := range o.budgets {
			found = append(found, unless(b.Spec.MaxUnavailable != nil && b.Spec.MaxUnavailable.IntValue() == 1, "%s: maxUnavailable %v", b.Name, b.Spec.MaxUnavailable)...)
		}
		return append(found, unless(len(o.budgets) == 1, "%d budgets, want one, of the watchers", len(o.budgets))...)
	}},
	{"pods of ours are closed", func(o objects) []string {
		for _, p := range o.policies {
			if len(p.Spec.Ingress) == 0 && slices.Contains(p.Spec.PolicyTypes, "Ingress") && p.Spec.PodSelector.MatchLabels["app.kubernetes.io/part-of"] == "tracelab" {
				return nil
			}
		}
		return []string{"no policy closes all"}
	}},
}

// pod is a workload's template with the config maps around it.
type pod struct {
	kind, name string
	labels     map[string]string
	spec       core.PodSpec
	container  core.Container
	maps       []core.ConfigMap
}

func pods(o objects) (all []pod) {
	add := func(kind, name string, t core.PodTemplateSpec) {
		for _, c := range t.Spec.Containers {
			all = append(all, pod{kind, name, t.Labels, t.Spec, c, o.configMaps})
		}
	}
	for _, d := range o.deployments {
		add("Deployment", d.Name, d.Spec.Template)
	}
	for _, s := range o.statefulSets {
		add("StatefulSet", s.Name, s.Spec.Template)
	}
	return all
}

// each makes a rule of what holds for every container.
func each(check func(pod) []string) func(objects) []string {
	return func(o objects) (found []string) {
		for _, p := range pods(o) {
			for _, text := range check(p) {
				found = append(found, p.name+": "+text)
			}
		}
		return found
	}
}

func unless(ok bool, format string, args ...any) []string {
	if ok {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}

func limits(p pod) []string {
	limit, request := p.container.Resources.Limits.Memory(), p.container.Resources.Requests.Memory()
	var mib int64
	for _, e := range p.container.Env {
		if e.Name == "GOMEMLIMIT" {
			mib, _ = strconv.ParseInt(strings.TrimSuffix(e.Value, "MiB"), 10, 64) // 0 is refused below
		}
	}
	return slices.Concat(
		unless(limit.Value() > 0 && limit.Cmp(*request) == 0, "memory: request %s, limit %s", request, limit),
		unless(p.container.Resources.Requests.Cpu().MilliValue() > 0, "no request for a share of a core"),
		unless(mib > 0 && mib<<20 < limit.Value()*9/10, "GOMEMLIMIT of %d MiB is not clearly below %s", mib, limit))
}

func hardened(p pod) []string {
	s, c := p.spec.SecurityContext, p.container.SecurityContext
	if s == nil || c == nil || s.RunAsNonRoot == nil || s.RunAsUser == nil || s.SeccompProfile == nil || c.ReadOnlyRootFilesystem == nil || c.AllowPrivilegeEscalation == nil || c.Capabilities == nil {
		return []string{"a part of the security contexts is missing"}
	}
	return slices.Concat(
		unless(*s.RunAsNonRoot && *s.RunAsUser == 10001, "user %d", *s.RunAsUser),
		unless(*c.ReadOnlyRootFilesystem && !*c.AllowPrivilegeEscalation && slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}) && len(c.Capabilities.Add) == 0, "security context %+v", *c),
		unless(s.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault, "seccomp profile %s", s.SeccompProfile.Type),
		unless(p.spec.AutomountServiceAccountToken != nil && !*p.spec.AutomountServiceAccountToken, "it gets a token that it has no use for"),
		unless(!p.spec.HostNetwork && !p.spec.HostPID && len(p.spec.Volumes) == 0, "something of the host's"))
}

func probes(p pod) (found []string) {
	if p.kind == "StatefulSet" { // watchers.yaml says why
		return unless(len(p.container.Ports) == 0 && p.container.LivenessProbe == nil, "a watcher has ports or a probe")
	}
	for what, probe := range map[string]*core.Probe{"liveness": p.container.LivenessProbe, "readiness": p.container.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil {
			found = append(found, "no "+what+" probe")
			continue
		}
		found = append(found, unless(hasPort(p.container, probe.HTTPGet.Port.String()), "%s probe at port %s, which is not there", what, probe.HTTPGet.Port.String())...)
	}
	return found
}

func hasPort(c core.Container, name string) bool {
	return slices.ContainsFunc(c.Ports, func(port core.ContainerPort) bool { return port.Name == name })
}

func selectors(o objects) (found []string) {
	all := pods(o)
	matched := func(what string, selector map[string]string) {
		ok := len(selector) > 0 && slices.ContainsFunc(all, func(p pod) bool { return within(selector, p.labels) })
		found = append(found, unless(ok, "%s selects %v, which no pod has", what, selector)...)
	}
	for _, d := range o.deployments {
		found = append(found, unless(within(d.Spec.Selector.MatchLabels, d.Spec.Template.Labels), "%s selects %v of pods with %v", d.Name, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels)...)
	}
	for _, s := range o.statefulSets {
		found = append(found, unless(within(s.Spec.Selector.MatchLabels, s.Spec.Template.Labels), "%s selects %v of pods with %v", s.Name, s.Spec.Selector.MatchLabels, s.Spec.Template.Labels)...)
		ok := slices.ContainsFunc(o.services, func(service core.Service) bool {
			return service.Name == s.Spec.ServiceName && service.Spec.ClusterIP == "None"
		})
		found = append(found, unless(ok, "%s: there is no headless service %s", s.Name, s.Spec.ServiceName)...)
	}
	for _, s := range o.services {
		matched("service "+s.Name, s.Spec.Selector)
	}
	for _, b := range o.budgets {
		matched("budget "+b.Name, b.Spec.Selector.MatchLabels)
	}
	for _, p := range o.policies {
		matched("policy "+p.Name, p.Spec.PodSelector.MatchLabels)
	}
	return found
}

func within(part, all map[string]string) bool {
	for key, value := range part {
		if all[key] != value {
			return false
		}
	}
	return true
}

// fieldOf returns the path of the pod's field that a variable holds.
func fieldOf(c core.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name && e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			return e.ValueFrom.FieldRef.FieldPath
		}
	}
	return ""
}

// known are the variables that a container has: those of its config maps, and its own.
func known(p pod) (names map[string]string, found []string) {
	names = map[string]string{}
	for _, from := range p.container.EnvFrom {
		i := slices.IndexFunc(p.maps, func(m core.ConfigMap) bool { return from.ConfigMapRef != nil && m.Name == from.ConfigMapRef.Name })
		if i < 0 {
			found = append(found, "variables from what is no config map here")
			continue
		}
		maps.Copy(names, p.maps[i].Data)
	}
	for _, e := range p.container.Env {
		names[e.Name] = e.Value
	}
	return names, found
}

var reference = regexp.MustCompile(`\$\(([^)]*)\)`)

// variables finds a $(NAME) that Kubernetes would leave as it is.
func variables(p pod) []string {
	names, found := known(p)
	texts := slices.Clone(p.container.Args)
	for _, e := range p.container.Env {
		texts = append(texts, e.Value)
	}
	for _, text := range texts {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			_, ok := names[m[1]]
			found = append(found, unless(ok, "%s: there is no %s", text, m[0])...)
		}
	}
	return found
}

func partitions(o objects) (found []string) {
	limit := 0
	for _, set := range o.statefulSets {
		limit, _ = strconv.Atoi(set.Annotations["tracelab.dev/partitions"]) // 0 is refused below
	}
	found = unless(limit > 0, "no number of partitions")
	for _, s := range o.statefulSets {
		if s.Spec.Replicas != nil {
			found = append(found, unless(int(*s.Spec.Replicas) <= limit, "%s: %d replicas for %d partitions", s.Name, *s.Spec.Replicas, limit)...)
		}
	}
	for _, a := range o.autoscalers {
		exists := slices.ContainsFunc(pods(o), func(p pod) bool { return p.kind == a.Spec.ScaleTargetRef.Kind && p.name == a.Spec.ScaleTargetRef.Name })
		found = append(found, slices.Concat(
			unless(exists, "%s scales %s, which is not there", a.Name, a.Spec.ScaleTargetRef.Name),
			unless(int(a.Spec.MaxReplicas) <= limit && a.Spec.MinReplicas != nil && *a.Spec.MinReplicas >= 2, "%s: up to %d replicas for %d partitions", a.Name, a.Spec.MaxReplicas, limit))...)
	}
	return found
}

// scaled looks at what autoscalers of watchers go by: the lag of the input's group and the processor time that is asked for. The lag of the work
// topic's group is what came in the last window, in good health, too.
func scaled(o objects) (found []string) {
	for _, a := range o.autoscalers {
		lag, cpu := false, false
		for _, m := range a.Spec.Metrics {
			switch {
			case m.External != nil:
				group := ""
				if m.External.Metric.Selector != nil {
					group = m.External.Metric.Selector.MatchLabels["consumergroup"]
				}
				is := slices.ContainsFunc(o.configMaps, func(c core.ConfigMap) bool { return c.Data["GROUP"] != "" && c.Data["GROUP"] == group })
				found = append(found, unless(is, "%s looks at the group %q, which does not read the input", a.Name, group)...)
				lag = lag || is
			case m.Resource != nil && m.Resource.Name == core.ResourceCPU && m.Resource.Target.AverageUtilization != nil:
				cpu = slices.ContainsFunc(pods(o), func(p pod) bool {
					return p.name == a.Spec.ScaleTargetRef.Name && !p.container.Resources.Requests.Cpu().IsZero()
				})
			}
		}
		found = append(found, unless(lag && cpu, "%s goes by lag %t and by processor time that is asked for %t", a.Name, lag, cpu)...)
	}
	return found
}

// addresses expands what each service is told, and compares it with the ports of all.
func addresses(o objects) (found []string) {
	ports := map[string]int32{} // kind and service
	for _, s := range o.services {
		for _, port := range s.Spec.Ports {
			ports[strings.ToUpper(port.Name)+" "+s.Name] = port.Port
		}
	}
	for _, p := range pods(o) {
		names, _ := known(p) // what is wrong with them is another rule's
		for _, kind := range []string{"HTTP", "GRPC"} {
			text := reference.ReplaceAllStringFunc(names["TRACELAB_"+kind], func(m string) string { return names[m[2:len(m)-1]] })
			entries := strings.Split(text, ";")
			if p.kind == "Deployment" && len(entries) != 7 {
				found = append(found, fmt.Sprintf("%s: %d addresses for %s", p.name, len(entries), kind))
			}
			for _, entry := range entries[:min(len(entries), 7*len(p.container.Ports))] {
				service, at, _ := strings.Cut(entry, "=")
				host := service
				if service == p.name {
					host = "0.0.0.0"
				}
				want := fmt.Sprintf("%s:%d", host, ports[kind+" "+service])
				found = append(found, unless(at == want, "%s: %s of %s is %q, want %q", p.name, kind, service, at, want)...)
			}
		}
		for _, port := range p.container.Ports {
			want := ports[strings.ToUpper(port.Name)+" "+p.name]
			found = append(found, unless(port.ContainerPort == want, "%s: port %d, its service has %d", p.name, port.ContainerPort, want)...)
		}
	}
	return found
}
