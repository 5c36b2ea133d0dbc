// Package operation is what a messaging span did, as the semantic conventions of OpenTelemetry name it.
package operation

// Type is the value of messaging.operation.type.
type Type uint8

// The types of operations. None stands for no value, and for one that the conventions do not know.
const (
	None Type = iota
	Create
	Send
	Receive
	Process
	Settle
)

// Of reads messaging.operation.type, and the values that it and its predecessor messaging.operation (conventions up to 1.24) had.
func Of(value string) Type {
	switch value {
	case "create":
		return Create
	case "send", "publish":
		return Send
	case "receive":
		return Receive
	case "process", "deliver":
		return Process
	case "settle":
		return Settle
	}
	return None
}
