package services

// await returns a channel that is closed when an order is final. forget must be called.
func (l *ledger) await(id string) (ended <-chan struct{}, forget func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	channel := make(chan struct{})
	l.waiting[id] = channel
	return channel, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.waiting, id)
	}
}

// tell tells whoever waits for it here that an order is final, and whether somebody does.
func (l *ledger) tell(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	channel := l.waiting[id]
	if channel != nil {
		close(channel)
		delete(l.waiting, id)
	}
	return channel != nil
}

// awaited tells whether somebody here waits for an order's end.
func (l *ledger) awaited(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[id] != nil
}
