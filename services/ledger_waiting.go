package services

// await returns a channel that is closed when an order becomes final. The caller must call forget.
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

// tell wakes the caller who waits here for an order to become final, and reports whether there was one.
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

// awaited reports whether a caller waits here for an order to become final.
func (l *ledger) awaited(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[id] != nil
}
