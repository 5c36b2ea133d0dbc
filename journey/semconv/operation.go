package semconv

// Operation is what a messaging span did: the value of messaging.operation.type.
type Operation uint8

// The operations. OperationNone stands for no value, and for one that the conventions do not know.
const (
	OperationNone Operation = iota
	OperationCreate
	OperationSend
	OperationReceive
	OperationProcess
	OperationSettle
)

// ParseOperation reads messaging.operation.type, and the values that it and its predecessor messaging.operation (conventions
// up to 1.24) had: publish is send, deliver is process.
func ParseOperation(value string) Operation {
	switch value {
	case "create":
		return OperationCreate
	case "send", "publish":
		return OperationSend
	case "receive":
		return OperationReceive
	case "process", "deliver":
		return OperationProcess
	case "settle":
		return OperationSettle
	}
	return OperationNone
}

// String returns today's value of messaging.operation.type, and "" for OperationNone.
func (o Operation) String() string {
	switch o {
	case OperationCreate:
		return "create"
	case OperationSend:
		return "send"
	case OperationReceive:
		return "receive"
	case OperationProcess:
		return "process"
	case OperationSettle:
		return "settle"
	default:
		return ""
	}
}
