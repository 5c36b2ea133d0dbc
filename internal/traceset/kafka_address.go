package traceset

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"tracelab/journey/compare"
)

// kafkaScheme begins the address of summaries on Kafka.
const kafkaScheme = "kafka://"

// kafkaExample is shown where an address is not understood.
const kafkaExample = "kafka://localhost:9092/tracelab.journeys?since=1h&root=gateway/POST%20/orders"

// defaultSince is how far back summaries are read.
const defaultSince = time.Hour

// kafkaAddress names summaries: of journeys that began in a range of time, of all roots or of some.
type kafkaAddress struct {
	brokers      []string
	topic        string
	now          time.Time // when the address was read: times ago count from it
	since, until time.Time
	service      string // of the root; "" for all
	name         string // of the root, with service; "" for all
}

// parseKafkaAddress reads kafka://HOST:PORT[,HOST:PORT]/TOPIC[?since=…&until=…&root=SERVICE[/NAME]].
func parseKafkaAddress(text string, now time.Time) (kafkaAddress, error) {
	a := kafkaAddress{now: now, since: now.Add(-defaultSince), until: now}
	wrong := func(err error) (kafkaAddress, error) {
		return a, unread(fmt.Errorf("%s: %w, such as %s", text, err, kafkaExample))
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(text, kafkaScheme), "?")
	hosts, topic, _ := strings.Cut(path, "/")
	for broker := range strings.SplitSeq(hosts, ",") {
		if host, port, err := net.SplitHostPort(broker); err != nil || host == "" || port == "" {
			return wrong(fmt.Errorf("broker %q has no host and port: name HOST:PORT", broker))
		}
		a.brokers = append(a.brokers, broker)
	}
	var err error
	if a.topic, err = url.PathUnescape(topic); err != nil || a.topic == "" || strings.Contains(a.topic, "/") {
		return wrong(errors.New("it names no topic: write one behind the brokers"))
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return wrong(err)
	}
	for key, list := range values {
		value := list[len(list)-1]
		switch key {
		case "since":
			a.since, err = parseMoment(value, now)
		case "until":
			a.until, err = parseMoment(value, now)
		case "root":
			a.service, a.name, _ = strings.Cut(value, "/")
			if a.service == "" {
				err = errors.New("it names no service: write SERVICE or SERVICE/NAME")
			}
		default:
			err = errors.New("it is not known: there are since, until and root")
		}
		if err != nil {
			return wrong(fmt.Errorf("%s=%s: %w", key, value, err))
		}
	}
	if !a.since.Before(a.until) {
		return wrong(fmt.Errorf("since (%s) is not before until (%s)", a.since.Format(time.RFC3339), a.until.Format(time.RFC3339)))
	}
	return a, nil
}

// parseMoment reads a time, or how long ago it was.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return now, fmt.Errorf("it is neither how long ago (90m) nor a time (%s)", now.UTC().Format(time.RFC3339))
	}
	return now.Add(-ago), nil
}

// earlier returns the address of the same roots in the time before, which is as long. Its times are seconds ago.
func (a kafkaAddress) earlier() string {
	ago := func(at time.Time) string {
		text := a.now.Sub(at).Round(time.Second).String()
		for _, zero := range []string{"m0s", "h0m"} {
			if strings.HasSuffix(text, zero) {
				text = text[:len(text)-2]
			}
		}
		return text
	}
	text := fmt.Sprintf("%s%s/%s?since=%s&until=%s", kafkaScheme, strings.Join(a.brokers, ","), url.PathEscape(a.topic), ago(a.since.Add(-a.until.Sub(a.since))), ago(a.since))
	if a.service != "" {
		root := strings.TrimSuffix(a.service+"/"+a.name, "/")
		text += "&root=" + strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(root))
	}
	return text
}

// has reports whether journeys of a root are asked for.
func (a kafkaAddress) has(root compare.Root) bool {
	return (a.service == "" || a.service == root.Service) && (a.name == "" || a.name == root.Name || compare.NormalizeName(a.name) == root.Name)
}
