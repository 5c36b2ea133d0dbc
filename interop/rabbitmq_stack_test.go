//go:build stack

package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"tracelab/internal/parts"
	"tracelab/internal/testkit"
)

const (
	brokerStarts = 30 * time.Second
	brokerStops  = 20 * time.Second
)

// startRabbitMQ runs one node of Debian's RabbitMQ in a folder and on ports of its own, and returns its URL. The node and its port mapper are
// children of this process, without Debian's script: the script's port mapper would outlive it and listen on every address.
func startRabbitMQ(t *testing.T) string {
	t.Helper()
	home := rabbitHome(t)
	dir := t.TempDir()
	ports := testkit.FreePorts(t, 3)
	host, mapper, peers := ports[0], port(t, ports[1]), port(t, ports[2])
	epmd := startPart(t, parts.Command{Name: "epmd", Path: "epmd", Args: []string{"-address", "127.0.0.1", "-port", mapper}, Log: filepath.Join(dir, "epmd.log")})
	node := "rabbit" + port(t, host) + "@localhost"
	broker := startPart(t, parts.Command{Name: "rabbitmq", Path: "erl", Log: filepath.Join(dir, "erl.log"),
		Args: []string{"-pa", "", "-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl", "+W", "w", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "+B", "i",
			"-sname", node, "-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-kernel", "inet_dist_listen_min", peers, "-kernel", "inet_dist_listen_max", peers,
			"-kernel", "prevent_overlapping_partitions", "false", "-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"},
		Env: rabbitEnvironment(t, dir, home, node, port(t, host), mapper, peers)})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), brokerStops) // t.Context has ended
		defer cancel()
		for _, p := range []*parts.Process{broker, epmd} { // the node tells the port mapper that it goes
			if err := p.Stop(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	testkit.Await(t, "RabbitMQ is ready", brokerStarts, func(ctx context.Context) error {
		if err := broker.Err(); err != nil {
			return err
		}
		return speaksAMQP(ctx, host)
	})
	return "amqp://guest:guest@" + host + "/"
}

func startPart(t *testing.T, c parts.Command) *parts.Process {
	t.Helper()
	p, err := parts.Start(context.Background(), c) // ends with the test's cleanup, or with this process
	if err != nil {
		t.Fatalf("%v: install rabbitmq-server", err)
	}
	return p
}

// rabbitHome returns the folder of Debian's RabbitMQ.
func rabbitHome(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*")
	if err != nil || len(found) != 1 {
		t.Fatalf("RabbitMQ below /usr/lib/rabbitmq/lib: found %q, %v: install Debian's rabbitmq-server", found, err)
	}
	return found[0]
}

// rabbitLibraries is what a node without plugins needs. The other plugins of the package cost it two seconds of searching.
var rabbitLibraries = []string{"rabbit", "rabbit_common", "rabbitmq_prelaunch", "ra", "ranch", "osiris", "aten", "gen_batch_server", "seshat", "syslog", "systemd", "enough",
	"recon", "observer_cli", "stdout_formatter", "sysmon_handler", "credentials_obfuscation", "cuttlefish", "getopt", "jsx", "amqp10_common"}

func rabbitEnvironment(t *testing.T, dir, home, node, port, mapper, peers string) []string {
	t.Helper()
	libraries := filepath.Join(dir, "libraries")
	for _, folder := range []string{libraries, filepath.Join(dir, "home"), filepath.Join(dir, "plugins")} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range rabbitLibraries {
		found, err := filepath.Glob(filepath.Join(home, "plugins", name+"-[0-9]*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("RabbitMQ's library %s: found %q, %v", name, found, err)
		}
		if err := os.Symlink(found[0], filepath.Join(libraries, filepath.Base(found[0]))); err != nil {
			t.Fatal(err)
		}
	}
	enabled := filepath.Join(dir, "enabled_plugins")
	if err := os.WriteFile(enabled, []byte("[].\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"HOME=" + filepath.Join(dir, "home"), "ERL_LIBS=" + libraries, "ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + mapper, "ERL_MAX_ETS_TABLES=50000", "ERL_MAX_PORTS=65536",
		"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_HOME=" + home, "RABBITMQ_NODENAME=" + node, "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + port,
		"RABBITMQ_DIST_PORT=" + peers, "RABBITMQ_MNESIA_BASE=" + filepath.Join(dir, "mnesia"), "RABBITMQ_LOG_BASE=" + filepath.Join(dir, "log"),
		"RABBITMQ_LOGS=" + filepath.Join(dir, "rabbit.log"), "RABBITMQ_CONFIG_FILE=" + filepath.Join(dir, "rabbitmq"), "RABBITMQ_ADVANCED_CONFIG_FILE=" + filepath.Join(dir, "advanced.config"),
		"RABBITMQ_GENERATED_CONFIG_DIR=" + filepath.Join(dir, "generated"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + enabled, "RABBITMQ_PLUGINS_DIR=" + filepath.Join(dir, "plugins"),
	}
}

// speaksAMQP sends the protocol's header: a broker that is ready answers with its first method, Connection.Start.
func speaksAMQP(ctx context.Context, address string) error {
	connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }() // nothing was begun
	if err := connection.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := connection.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return err
	}
	var frame [1]byte
	if _, err := connection.Read(frame[:]); err != nil {
		return err
	}
	if frame[0] != 1 {
		return fmt.Errorf("%s answers with a frame of type %d, want a method", address, frame[0])
	}
	return nil
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strconv.Atoi(p); err != nil {
		t.Fatal(err)
	}
	return p
}
