package experiments

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tracelab/lab"
)

// ticks are the units of CPU time in /proc: a hundredth of a second on every Linux of today.
const ticks = 10 * time.Millisecond

// processAt finds the process on this machine that listens at the first of the addresses, in Linux's /proc.
func processAt(addresses []string) (pid string, err error) {
	if len(addresses) == 0 {
		return "", errors.New("no address of a broker")
	}
	_, port, err := net.SplitHostPort(addresses[0])
	if err != nil {
		return "", err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", err
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && fields[3] == "0A" && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", number)) { // it listens
				sockets["socket:["+fields[9]+"]"] = true
			}
		}
	}
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && sockets[target] {
			return strings.Split(file, "/")[2], nil
		}
	}
	return "", fmt.Errorf("no process of this machine listens at %s: resources counts the broker's CPU time, so start it here (task kafka), on Linux", addresses[0])
}

// cpuOf is the CPU time of a process so far.
func cpuOf(pid string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind its name, which may have blanks
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%s/stat has %d fields", pid, len(fields))
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * ticks, errors.Join(err, err2)
}

// brokerMeter is what a broker's process used between two moments of a run.
type brokerMeter struct {
	process   string
	from, to  time.Duration
	err, err2 error
}

func (m *brokerMeter) begin() { m.from, m.err = cpuOf(m.process) }
func (m *brokerMeter) end()   { m.to, m.err2 = cpuOf(m.process) }

func (m *brokerMeter) used() (time.Duration, error) { return m.to - m.from, errors.Join(m.err, m.err2) }

// metered runs a lab, and calls begin and end when its orders begin to be placed, and when the last of them has its answer.
func (l *Lab) metered(ctx context.Context, config lab.Config, begin, end func()) (*Ran, error) {
	if l.session.tamper != nil {
		l.session.tamper(&config)
	}
	tell, began, ended := l.progress(), false, false
	ran, err := l.session.run(ctx, config, func(p lab.Progress) {
		l.mu.Lock()
		if p.Stage == lab.StagePlacing && !began {
			began = true
			begin()
		} else if p.Stage == lab.StageSettling && !ended {
			ended = true
			end()
		}
		l.mu.Unlock()
		tell(p)
	})
	if err == nil {
		l.use(ran)
	}
	return ran, err
}
