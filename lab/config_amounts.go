package lab

import (
	"errors"
	"fmt"
	"time"

	"tracelab/services"
)

// What a run may be asked for at the most, and at the least. More is a slip of the hand: nothing is started for it.
const (
	maxOrders   = 1_000_000 // of each form
	maxWarmUp   = 1_000
	maxWindows  = 1_000
	maxWorkers  = 10_000
	minRate     = 0.01
	maxRate     = 100_000.0
	maxClients  = 10_000
	maxDuration = 24 * time.Hour
)

// checkAmounts finds numbers that make no sense. Comparisons are written so that NaN fails them.
func (c Config) checkAmounts() error {
	if c.Orders < 1 || c.Orders > maxOrders {
		return fmt.Errorf("orders %d: use a number from 1 to %d", c.Orders, maxOrders)
	}
	if err := c.checkLoad(); err != nil {
		return err
	}
	if c.WarmUp < 0 || c.WarmUp > maxWarmUp {
		return fmt.Errorf("warm-up %d: use a number from 0 to %d", c.WarmUp, maxWarmUp)
	}
	if c.Windows < 1 || c.Windows > maxWindows {
		return fmt.Errorf("windows of the warm-up %d: use a number from 1 to %d", c.Windows, maxWindows)
	}
	if c.Workers < 1 || c.Workers > maxWorkers {
		return fmt.Errorf("workers %d: use a number from 1 to %d", c.Workers, maxWorkers)
	}
	for service, workers := range c.WorkersOf {
		if err := c.Flow.CheckService(service); err != nil {
			return fmt.Errorf("workers: %w", err)
		}
		if workers < 1 || workers > maxWorkers {
			return fmt.Errorf("workers of %s %d: use a number from 1 to %d", service, workers, maxWorkers)
		}
	}
	if err := (services.Config{Flow: c.Flow, Instances: c.Instances}).CheckInstances(); err != nil {
		return err
	}
	if c.Target != "" && len(c.Instances) > 0 {
		return errors.New("the services at --target are processes of their own: start several (serve) instead of --instances")
	}
	if c.Partitions < 0 || c.Partitions > services.MostPartitions {
		return fmt.Errorf("partitions %d: use a number from 1 to %d", c.Partitions, services.MostPartitions)
	}
	if c.Target != "" && c.Partitions > 0 {
		return errors.New("the services at --target have made their topics: give --partitions to serve")
	}
	if c.Target != "" && len(c.WorkersOf) > 0 {
		return errors.New("the services at --target have their own workers: give --workers to serve")
	}
	if c.Mailbox < 1 || c.Mailbox > maxOrders {
		return fmt.Errorf("mailbox %d: use a number from 1 to %d", c.Mailbox, maxOrders)
	}
	if c.Timeout < 0 || c.Timeout > maxDuration || c.Deadline < 0 || c.Deadline > maxDuration {
		return fmt.Errorf("timeout %v and deadline %v: use durations up to %v", c.Timeout, c.Deadline, maxDuration)
	}
	if !(c.Unsent >= 0 && c.Unsent <= 1) {
		return fmt.Errorf("sample %g: use a share from 0 to 1", 1-c.Unsent)
	}
	return nil
}

// checkLoad finds a rate or a number of clients that makes no sense.
func (c Config) checkLoad() error {
	if c.Clients != 0 {
		if c.Clients < 1 || c.Clients > maxClients {
			return fmt.Errorf("clients %d: use a number from 1 to %d", c.Clients, maxClients)
		}
		if c.Rate != 0 {
			return errors.New("clients of a closed loop place orders as they get answers, and a rate as time passes: give one of --clients and --rate")
		}
		if c.Think < 0 || c.Think > maxDuration {
			return fmt.Errorf("think %v: use a duration up to %v", c.Think, maxDuration)
		}
		if thinking := time.Duration(c.Orders*len(c.Forms)/c.Clients) * c.Think; thinking > maxDuration {
			return fmt.Errorf("%s in each of %s by %s who think for %v take %v: use fewer %s, more clients or less thinking, so that they take no more than %v",
				unitOf(c.Flow).count(c.Orders, "", ""), count(len(c.Forms), "form", "forms"), count(c.Clients, "client", "clients"), c.Think, thinking.Round(time.Second), unitOf(c.Flow).many(), maxDuration)
		}
		return nil
	}
	if c.Think != 0 {
		return errors.New("think is what clients of a closed loop do between their orders: say with --clients how many there are, or leave out --think")
	}
	if !(c.Rate >= minRate && c.Rate <= maxRate) {
		return fmt.Errorf("rate %g: use %s/s from %g to %g", c.Rate, unitOf(c.Flow).many(), minRate, maxRate)
	}
	if placing := c.placing(); placing > maxDuration {
		return fmt.Errorf("%s in each of %s at %g %s/s take %v: use fewer %[4]s or a higher rate, so that they take no more than %[6]v",
			unitOf(c.Flow).count(c.Orders, "", ""), count(len(c.Forms), "form", "forms"), c.Rate, unitOf(c.Flow).many(), placing.Round(time.Second), maxDuration)
	}
	return nil
}
