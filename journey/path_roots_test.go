package journey_test

// rootPaths: where a path begins and ends: roots, ends at the same time, circles, and replies.
var rootPaths = []pathCase{
	{
		"causes that were ready at the same time: a message before any other class",
		`S 0-50
		   A 5-20 id=00000000000000a1
		     C CONSUMER 40-60 link=P service=A
		   P PRODUCER 10-20 id=00000000000000b1`,
		[]string{"S[0,10] P[10,20] S[20,50]"},
		[]string{"S[0,10] P[10,20] ~message[20,40] C[40,60]"},
	},
	{
		"causes that were ready at the same time: the lower id",
		`S 0-50
		   P1 PRODUCER 10-20 id=00000000000000b1
		   P2 PRODUCER 10-20 id=00000000000000a1
		J CONSUMER 60-90 link=P1 link=P2 trace=2`,
		[]string{"S[0,10] P2[10,20] S[20,50]"},
		[]string{"S[0,10] P2[10,20] ~message[20,60] J[60,90]"},
	},
	{
		"the caller has its answer last: the completion is the caller wait",
		`S 0-100
		   P PRODUCER 2-4
		C CONSUMER 10-30 link=P trace=2`,
		[]string{"S[0,2] P[2,4] S[4,100]"},
		[]string{"S[0,2] P[2,4] S[4,100]"},
	},
	{
		"two ends at the same time: not the one whose caller is there too",
		`S 0-10
		   G 5-50
		     H 20-50`,
		[]string{"S[0,10]"},
		[]string{"S[0,5] G[5,20] H[20,50]"},
	},
	{
		"two unrelated ends at the same time: the lower id",
		`S 0-10
		   G 5-50 id=00000000000000b1
		   H 8-50 id=00000000000000a1`,
		[]string{"S[0,10]"},
		[]string{"S[0,8] H[8,50]"},
	},
	{
		"a root that is an orphan",
		`S SERVER 0-50 parent=?
		   A 10-40`,
		[]string{"S[0,10] A[10,40] S[40,50]"},
		[]string{"S[0,10] A[10,40] S[40,50]"},
	},
	{
		"without a root there is no response path",
		`C CONSUMER 0-50 link=? op=process
		   A 10-40`,
		[]string{""},
		[]string{"C[0,10] A[10,40] C[40,50]"},
	},
	{
		"without a root, the beginning has no explanation where two things start it",
		`C CONSUMER 0-30 parent=? op=process
		   P PRODUCER 5-10
		D CONSUMER 40-90 link=P link=Q trace=2
		E CONSUMER 2-50 op=process trace=3
		   Q PRODUCER 20-35`,
		[]string{""},
		[]string{"~unexplained[0,2] E[2,20] Q[20,35] ~message[35,40] D[40,90]"},
	},
	{
		"links in a circle: no span twice, and the sum holds",
		`S 0-10
		   P PRODUCER 2-4
		A CONSUMER 20-20.4 link=P link=B trace=2 op=process
		B CONSUMER 20.3-20.6 link=A trace=3 op=process`,
		[]string{"S[0,2] P[2,4] S[4,10]"},
		[]string{"S[0,2] P[2,4] ~message[4,20] A[20,20.3] B[20.3,20.6]"},
	},
	{
		"a reply: the caller's wait is in the other service, and its waits keep their classes",
		`w.S SERVER 0-100
		   w.P PRODUCER 5-8 messaging.message.conversation_id=1
		     b.H CONSUMER 30-80 op=process
		       b.Q PRODUCER 75-79
		         w.R CONSUMER 85-90 op=process messaging.message.conversation_id=1`,
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~message[79,85] w.R[85,90] w.S[90,100]"},
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~message[79,85] w.R[85,90] w.S[90,100]"},
	},
	{
		"a reply whose handler ends a little after it woke the caller",
		`w.S SERVER 0-90
		   w.P PRODUCER 5-8 messaging.message.conversation_id=1
		     b.H CONSUMER 30-80 op=process
		       b.Q PRODUCER 75-79
		         w.R CONSUMER 85-90.5 op=process messaging.message.conversation_id=1`,
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~message[79,85] w.R[85,90]"},
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~message[79,85] w.R[85,90.5]"},
	},
	{
		"no reply: another conversation",
		`w.S SERVER 0-100
		   w.P PRODUCER 5-8 messaging.message.conversation_id=1
		     b.H CONSUMER 30-80 op=process
		       b.Q PRODUCER 75-79
		         w.R CONSUMER 85-90 op=process messaging.message.conversation_id=2`,
		[]string{"w.S[0,5] w.P[5,8] w.S[8,100]"},
		[]string{"w.S[0,5] w.P[5,8] w.S[8,100]"},
	},
	{
		"no reply: the span was no longer open",
		`w.S SERVER 0-20
		   w.P PRODUCER 5-8 messaging.message.conversation_id=1
		     b.H CONSUMER 30-80 op=process
		       b.Q PRODUCER 75-79
		         w.R CONSUMER 85-90 op=process messaging.message.conversation_id=1`,
		[]string{"w.S[0,5] w.P[5,8] w.S[8,20]"},
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~message[79,85] w.R[85,90]"},
	},
	{
		"of several replies the last counts",
		`w.S SERVER 0-100
		   w.P PRODUCER 5-8 messaging.message.conversation_id=1
		     b.H CONSUMER 30-40 op=process
		       b.Q PRODUCER 35-37
		         w.R1 CONSUMER 45-50 op=process messaging.message.conversation_id=1
		     c.H CONSUMER 30-80 op=process
		       c.Q PRODUCER 75-79
		         w.R2 CONSUMER 85-90 op=process messaging.message.conversation_id=1`,
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] c.H[30,75] c.Q[75,79] ~message[79,85] w.R2[85,90] w.S[90,100]"},
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] c.H[30,75] c.Q[75,79] ~message[79,85] w.R2[85,90] w.S[90,100]"},
	},
	{
		"a root without length",
		"S 5-5",
		[]string{""},
		[]string{""},
	},
	{
		"a cycle of parents has its earliest span as its root",
		`A 1-10 parent=C
		B 2-9 parent=A
		C 3-8 parent=B`,
		[]string{"A[0,1] B[1,2] C[2,7] B[7,8] A[8,9]"},
		[]string{"A[0,1] B[1,2] C[2,7] B[7,8] A[8,9]"},
	},
}
