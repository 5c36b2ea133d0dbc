package experiments

// queueClaims are those whose orders meet in a queue.
func queueClaims() []Claim {
	return []Claim{
		slowService(), surge(), cascade(), retryStorm(), unknownOutcome(), longJob(), callerThroughput(), rateLimit(), overloadGoodput(),
		provisioning(), scaleOut(), ride(),
	}
}
