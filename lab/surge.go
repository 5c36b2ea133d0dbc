package lab

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Surge is a part of a run in which orders come at a multiple of its rate.
type Surge struct {
	At    time.Duration // from the first order's intended start
	Lasts time.Duration
	Times float64 // what the rate is multiplied by; 0: there is no surge
}

// maxSurge is the most that a rate may be multiplied by.
const maxSurge = 1000

// ParseSurge reads a surge in the form TIME:LENGTH:TIMES, such as 2s:1s:5. The error names the part that is wrong and what would be right.
func ParseSurge(text string) (Surge, error) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return Surge{}, fmt.Errorf("surge %q: write it as TIME:LENGTH:TIMES, such as 2s:1s:5 for five times the rate from 2s to 3s", text)
	}
	at, err := time.ParseDuration(fields[0])
	if err != nil {
		return Surge{}, fmt.Errorf("surge %q: time %q: use a time of the run such as 2s", text, fields[0])
	}
	lasts, err := time.ParseDuration(fields[1])
	if err != nil {
		return Surge{}, fmt.Errorf("surge %q: length %q: use a duration such as 1s", text, fields[1])
	}
	times, err := strconv.ParseFloat(fields[2], 64)
	if err != nil {
		return Surge{}, fmt.Errorf("surge %q: %q: use a number that the rate is multiplied by, such as 5", text, fields[2])
	}
	s := Surge{At: at, Lasts: lasts, Times: times}
	return s, s.check()
}

// String writes the surge as ParseSurge reads it; "" when there is none.
func (s Surge) String() string {
	if s == (Surge{}) {
		return ""
	}
	return fmt.Sprintf("%v:%v:%g", s.At, s.Lasts, s.Times)
}

func (s Surge) check() error {
	switch {
	case s.At < 0 || s.At > maxDuration:
		return fmt.Errorf("surge %s: use a time of the run from 0s to %v", s, maxDuration)
	case s.Lasts <= 0 || s.Lasts > maxDuration:
		return fmt.Errorf("surge %s: use a length over 0s and up to %v", s, maxDuration)
	case !(s.Times > 0 && s.Times <= maxSurge):
		return fmt.Errorf("surge %s: multiply the rate by a number over 0 and up to %d", s, maxSurge)
	}
	return nil
}

// checkSurge finds a surge that cannot be, before anything is started.
func (c Config) checkSurge() error {
	if c.Surge == (Surge{}) {
		return nil
	}
	if err := c.Surge.check(); err != nil {
		return err
	}
	if c.Clients > 0 {
		return errors.New("a surge multiplies a rate, and clients of a closed loop have none: leave out --clients")
	}
	if last := c.Surge.due(c.Orders*len(c.Forms)-1, c.Rate); c.Surge.At > last {
		return fmt.Errorf("surge %s: the last %s is placed at %v: use an earlier time, or more %s", c.Surge, c.Flow.Unit, last.Round(time.Millisecond), unitOf(c.Flow).many())
	}
	return nil
}

// due is the intended start of an order, by its place among all orders from 0 on, since the first one's.
func (s Surge) due(place int, rate float64) time.Duration {
	seconds := float64(place) / rate
	if before := s.At.Seconds(); s.Times > 0 && seconds > before {
		if lasts := s.Lasts.Seconds(); seconds-before > lasts*s.Times {
			seconds += lasts - lasts*s.Times
		} else {
			seconds = before + (seconds-before)/s.Times
		}
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

// placing is how long the orders of an open loop are placed.
func (c Config) placing() time.Duration { return c.Surge.due(c.Orders*len(c.Forms), c.Rate) }
