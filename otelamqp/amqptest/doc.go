// Package amqptest is a message broker in this process that speaks AMQP 0-9-1,
// for tests: the client's protocol is the real one, on an address of loopback or
// on a pipe, which works in a bubble of testing/synctest.
//
// It has exchanges (direct, fanout, topic), queues, bindings, consumers with
// prefetch, get, acknowledgements, confirms, returns and dead-letter exchanges,
// and keeps all in memory. It has no transactions, no users, no limits of length
// and no streams; what it does not know closes the connection.
package amqptest
