package page

import (
	"cmp"
	"strings"

	"tracelab/experiments"
)

// brokerFlag is a broker that a claim may need, and how it is named on the command line.
type brokerFlag struct {
	flag, words, task string
	needed            bool
	at                string // where the lab has it; "": it has none
}

// brokerFlags are the brokers that a claim may need.
func (c *claimRunner) brokerFlags(claim experiments.Claim) []brokerFlag {
	return []brokerFlag{
		{"--kafka", "a real Kafka", "task kafka", claim.Needs.RealBroker, strings.Join(c.settings.Kafka, ",")},
		{"--rabbitmq", "a real RabbitMQ", "task rabbitmq", claim.Needs.RealRabbitMQ, strings.Join(c.settings.RabbitMQ, ",")},
	}
}

// lacks says what a claim needs and the lab does not have; none when it can be judged.
func (c *claimRunner) lacks(claim experiments.Claim) []string {
	var list []string
	for _, b := range c.brokerFlags(claim) {
		if b.needed && b.at == "" {
			list = append(list, b.words)
		}
	}
	return list
}

// commands are what a person types to get what a claim lacks and to start the lab with it, and what judges the claim in a terminal.
func (c *claimRunner) commands(claim experiments.Claim) (up []string, terminal string) {
	program := cmp.Or(c.settings.Program, "tracelab")
	flags := ""
	for _, b := range c.brokerFlags(claim) {
		if b.needed && b.at == "" {
			up = append(up, b.task)
		}
		if b.needed || b.at != "" {
			flags += " " + b.flag + " " + cmp.Or(b.at, "HOST:PORT")
		}
	}
	return append(up, program+" up"+flags), program + " claims " + claim.Name + flags
}

// broker says which broker a claim runs on, where the lab was started with a real one; else "".
func (c *claimRunner) broker(claim experiments.Claim) string {
	flags := c.brokerFlags(claim)
	kafka, rabbitmq := flags[0].at, flags[1].at
	switch {
	case kafka == "":
		return ""
	case claim.Needs.Embedded:
		return "an embedded Kafka, which it disturbs, not on the one at " + kafka
	case claim.Needs.RealRabbitMQ && rabbitmq != "":
		return "the Kafka at " + kafka + " and the RabbitMQ at " + rabbitmq
	}
	return "the Kafka at " + kafka
}
