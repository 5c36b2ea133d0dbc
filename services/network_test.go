package services

import (
	"net"
	"strings"
	"testing"
)

func TestBindSaysWhatIsInTheWay(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, err = TCP().bind("orders", taken.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "orders cannot listen on "+taken.Addr().String()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v, want who, where and why", err)
	}
	if _, err := TCP().bind("orders", "127.0.0.1:none"); err == nil || !strings.Contains(err.Error(), "orders cannot listen") {
		t.Errorf("%v, want who and where", err)
	}
}
