package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fewRecords is how many records a group may be behind without a check that it catches up.
const fewRecords = 50

// reachable asks the configured addresses for the brokers.
func (k *kafkaPart) reachable(ctx context.Context) (_ nothing, seen string, _ error) {
	found, err := brokers(ctx, k.client, k.addresses)
	if err != nil {
		return nothing{}, "", brokenHop("start Kafka, or name its address with --kafka; a port that speaks something else is not its client listener", "%s", err.Error())
	}
	return nothing{}, fmt.Sprintf("%s at %s", plural(len(found), "broker"), commas(k.addresses)), nil
}

// listenersAnswer asks every broker at the address that it gives to its clients: after the first answer they use no other.
func (k *kafkaPart) listenersAnswer(ctx context.Context) (_ nothing, seen string, _ error) {
	const fix = "brokers tell their clients where to reach them: let advertised.listeners of that broker (KAFKA_ADVERTISED_LISTENERS) name an address " +
		"that is reached from where its clients are; clients inside and outside of a network need a listener each"
	found, err := brokers(ctx, k.client, k.addresses)
	if err != nil {
		return nothing{}, "", brokenHop(fix, "%s", err.Error())
	}
	var addresses []string
	for _, b := range found {
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		if err := k.answers(ctx, b.NodeID); err != nil {
			return nothing{}, "", brokenHop(fix, "broker %d says that it is at %s: %s", b.NodeID, address, identify(ctx, address))
		}
		addresses = append(addresses, address)
	}
	return nothing{}, "answers at " + commas(addresses) + ", as it tells its clients", nil
}

// answers returns nil when a broker answers at the address that it gives to clients.
func (k *kafkaPart) answers(ctx context.Context, broker int32) error {
	once, cancel := context.WithTimeout(ctx, oneAnswer)
	defer cancel()
	_, err := k.client.Broker(int(broker)).Request(once, kmsg.NewPtrApiVersionsRequest())
	return err
}

// topicsExist checks that the topics of the flow exist. It lists all topics: asking for a missing one by name could create it.
func (k *kafkaPart) topicsExist(ctx context.Context) (_ nothing, seen string, _ error) {
	topics, err := k.admin.ListTopics(ctx)
	if err != nil {
		return nothing{}, "", brokenHop("look at the log of Kafka", "the list of topics: %s", err.Error())
	}
	var missing, leaderless []string
	partitions := 0
	for _, name := range k.flow.Topics() {
		topic, ok := topics[k.prefix+name]
		if !ok || topic.Err != nil {
			missing = append(missing, k.prefix+name)
			continue
		}
		for _, p := range topic.Partitions.Sorted() {
			partitions++
			if p.Leader < 0 {
				leaderless = append(leaderless, fmt.Sprintf("%s/%d", topic.Topic, p.Partition))
			}
		}
	}
	switch {
	case len(missing) > 0:
		return nothing{}, "", brokenHop("services make their topics when they start: start them with --kafka and this Kafka's address, and name their --prefix here, too, if they have one",
			"not there: %s; there are %s in all", commas(missing), plural(len(topics), "topic"))
	case len(leaderless) > 0:
		return nothing{}, "", brokenHop("start the brokers that hold these partitions, or look at the log of Kafka", "partitions without a leader: %s", commas(leaderless))
	}
	return nothing{}, fmt.Sprintf("%s with %d partitions", plural(len(k.flow.Topics()), "topic"), partitions), nil
}

// groupsHaveMembers checks that every consumer group of the flow has members.
func (k *kafkaPart) groupsHaveMembers(ctx context.Context) (_ nothing, seen string, _ error) {
	expected := consumers(k.flow)
	names := slices.Sorted(maps.Keys(expected))
	err := until(ctx, func(ctx context.Context) error {
		groups, err := k.admin.DescribeGroups(ctx, k.prefixed(names)...)
		if err != nil {
			return brokenHop("look at the log of Kafka", "the consumer groups: %s", err.Error())
		}
		for _, name := range names {
			if problem := k.groupProblem(groups[k.prefix+name], expected[name]); problem != "" {
				return brokenHop(fmt.Sprintf("start %s with --kafka and this Kafka's address, and the --prefix of the others; its log says what keeps it from joining", name),
					"group %s%s (service %s): %s", k.prefix, name, name, problem)
			}
		}
		return nil
	})
	if err != nil {
		return nothing{}, "", err
	}
	return nothing{}, fmt.Sprintf("%s with members for every partition", plural(len(names), "group")), nil
}

// groupProblem returns why a group does not consume its topics, or "".
func (k *kafkaPart) groupProblem(group kadm.DescribedGroup, topics []string) string {
	switch {
	case group.Err != nil && len(group.Members) == 0:
		return "nobody has joined it: " + group.Err.Error()
	case len(group.Members) == 0:
		return fmt.Sprintf("it has no members (state %q)", group.State)
	case group.State != "Stable":
		return fmt.Sprintf("it has %s and is not settled (state %q)", plural(len(group.Members), "member"), group.State)
	}
	assigned := group.AssignedPartitions()
	for _, topic := range topics {
		if len(assigned[k.prefix+topic]) == 0 {
			return fmt.Sprintf("none of its %s is assigned %s", plural(len(group.Members), "member"), k.prefix+topic)
		}
	}
	return ""
}

// groupsKeepUp checks how many records the groups are behind, and, if many, whether they catch up.
func (k *kafkaPart) groupsKeepUp(ctx context.Context) (_ nothing, seen string, _ error) {
	started, err := k.lags(ctx)
	if err != nil {
		return nothing{}, "", err
	}
	most, now := "", started
	err = until(ctx, func(ctx context.Context) error {
		if now, err = k.lags(ctx); err != nil {
			return err
		}
		most = slices.MaxFunc(slices.Collect(maps.Keys(now)), func(a, b string) int { return int(now[a] - now[b]) })
		for _, group := range slices.Sorted(maps.Keys(now)) {
			if n := now[group]; n > fewRecords && n >= started[group] {
				return brokenHop(fmt.Sprintf("%s handles fewer records than arrive, or none: check its log, give it more --workers, or place fewer orders", group),
					"group %s%s is %d records behind, and was %d a moment ago", k.prefix, group, n, started[group])
			}
		}
		return nil
	})
	if err != nil {
		return nothing{}, "", err
	}
	if now[most] > fewRecords {
		return nothing{}, fmt.Sprintf("%s is furthest behind: %d records, and was %d a moment ago", most, now[most], started[most]), nil
	}
	return nothing{}, "no group is more than " + plural(int(now[most]), "record") + " behind", nil
}

// lags sums up, for each consuming service, how many records of its topics are not committed.
func (k *kafkaPart) lags(ctx context.Context) (map[string]int64, error) {
	expected := consumers(k.flow)
	all, err := k.admin.Lag(ctx, k.prefixed(slices.Collect(maps.Keys(expected)))...)
	if err != nil {
		return nil, brokenHop("look at the log of Kafka", "the lag of the groups: %s", err.Error())
	}
	sums := map[string]int64{}
	for group, topics := range expected {
		described := all[k.prefix+group]
		if err := errors.Join(described.DescribeErr, described.FetchErr); err != nil {
			return nil, brokenHop("look at the log of Kafka", "the lag of group %s%s: %s", k.prefix, group, err.Error())
		}
		for _, topic := range topics {
			for _, partition := range described.Lag[k.prefix+topic] {
				sums[group] += max(0, partition.Lag)
			}
		}
	}
	return sums, nil
}

func (k *kafkaPart) prefixed(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = k.prefix + name
	}
	return all
}
