//go:build linux || darwin

package rabbitmq

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// packages is where Debian's package puts RabbitMQ: one folder for the version that is installed.
const packages = "/usr/lib/rabbitmq/lib/rabbitmq_server-*"

// nodeName is the node's name among those that its port mapper knows. It is part of what the node keeps, so it stays the same.
const nodeName = "rabbit@localhost"

// home returns the folder of Debian's RabbitMQ.
func home(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("no RabbitMQ found at %s: on Debian `apt-get install --no-install-recommends rabbitmq-server` (and stop the one that it starts)", pattern)
	}
	return found[0], nil
}

// Installed returns nil where there is a RabbitMQ to run; else the error says how to get one.
func Installed() error {
	_, err := home(packages)
	return err
}

// libraries is what a node without plugins needs. The other plugins of the package cost it two seconds of searching.
var libraries = []string{"rabbit", "rabbit_common", "rabbitmq_prelaunch", "ra", "ranch", "osiris", "aten", "gen_batch_server", "seshat", "syslog", "systemd", "enough",
	"recon", "observer_cli", "stdout_formatter", "sysmon_handler", "credentials_obfuscation", "cuttlefish", "getopt", "jsx", "amqp10_common"}

// metricsPlugin serves the page for Prometheus, with the plugins that it needs.
const metricsPlugin = "rabbitmq_prometheus"

var metricsPlugins = []string{metricsPlugin, "prometheus", "accept", "rabbitmq_web_dispatch", "cowboy", "cowlib", "rabbitmq_management_agent"}

// link makes a folder of links to libraries or plugins. Those of another version, which was there before, go.
func (n Node) link(home, folder string, names []string) (string, error) {
	folder = filepath.Join(n.Dir, folder)
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, name := range names {
		found, err := fs.Glob(os.DirFS(home), "plugins/"+name+"-[0-9]*")
		if err != nil {
			return "", err
		}
		if len(found) != 1 {
			return "", fmt.Errorf("RabbitMQ's library %s: found %q below %s/plugins, want one: this tool knows RabbitMQ 3.10", name, found, home)
		}
		if err := os.Symlink(filepath.Join(home, found[0]), filepath.Join(folder, filepath.Base(found[0]))); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// plug links the node's plugins, enables them and writes their settings. Without a page for Prometheus there is neither: RabbitMQ takes no settings where no
// plugin says what may be set. Nobody asks for what the management agent would keep.
func (n Node) plug(home string) error {
	settings, enabled := filepath.Join(n.Dir, "advanced.config"), filepath.Join(n.Dir, "enabled_plugins")
	if n.Metrics == 0 {
		_, err := n.link(home, "plugins", nil)
		return errors.Join(err, os.RemoveAll(settings), os.WriteFile(enabled, []byte("[].\n"), 0o644))
	}
	_, err := n.link(home, "plugins", metricsPlugins)
	return errors.Join(err, os.WriteFile(enabled, []byte("["+metricsPlugin+"].\n"), 0o644), os.WriteFile(settings, fmt.Appendf(nil,
		"[{%s, [{tcp_config, [{ip, \"127.0.0.1\"}, {port, %d}]}]}, {rabbitmq_management_agent, [{disable_metrics_collector, true}]}].\n", metricsPlugin, n.Metrics), 0o644))
}

// environment makes the folders and files that a node needs and returns its variables.
func (n Node) environment(home string, p ports) ([]string, error) {
	linked, err := n.link(home, "libraries", libraries)
	if err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(n.Dir, name) }
	err = errors.Join(n.plug(home), os.MkdirAll(in("home"), 0o755))
	return []string{
		"HOME=" + in("home"), "ERL_LIBS=" + linked, "ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + p.mapper, "ERL_MAX_ETS_TABLES=50000", "ERL_MAX_PORTS=65536", "ERL_CRASH_DUMP=" + in("erl_crash.dump"),
		"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_HOME=" + home, "RABBITMQ_NODENAME=" + nodeName, "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_NODE_PORT=" + p.clients, "RABBITMQ_DIST_PORT=" + p.nodes, "RABBITMQ_MNESIA_BASE=" + in("data"), "RABBITMQ_LOG_BASE=" + in("log"),
		"RABBITMQ_LOGS=" + n.Log(), "RABBITMQ_CONFIG_FILE=" + in("rabbitmq"), "RABBITMQ_ADVANCED_CONFIG_FILE=" + in("advanced.config"),
		"RABBITMQ_GENERATED_CONFIG_DIR=" + in("generated"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + in("enabled_plugins"), "RABBITMQ_PLUGINS_DIR=" + in("plugins"),
	}, err
}

// arguments are those of erl: RabbitMQ's own, as its script gives them, and 127.0.0.1 for everything.
func arguments(p ports) []string {
	return []string{"-pa", "", "-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl", "+W", "w", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "+B", "i",
		"-sname", nodeName, "-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-kernel", "inet_dist_listen_min", p.nodes, "-kernel", "inet_dist_listen_max", p.nodes,
		"-kernel", "prevent_overlapping_partitions", "false", "-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"}
}
