package journey_test

// messagePaths: messages, polls, joins, and what is handled in batches.
var messagePaths = []pathCase{
	{
		"a message: the caller is free at 50, the work ends at 160, and the queue took 40",
		`S SERVER 0-50
		   PR PRODUCER 10-20
		     C CONSUMER 60-160
		       DB CLIENT 70-150`,
		[]string{"S[0,10] PR[10,20] S[20,50]"},
		[]string{"S[0,10] PR[10,20] ~message[20,60] C[60,70] DB[70,150] C[150,160]"},
	},
	{
		"a receive span that overlaps the acknowledgement is never on the caller's path",
		`S SERVER 0-50
		   PR PRODUCER 10-20
		     RX CLIENT 15-55 op=receive
		       C CONSUMER 60-160 op=process`,
		[]string{"S[0,10] PR[10,20] S[20,50]"},
		[]string{"S[0,10] PR[10,15] RX[15,55] ~detached-after[55,60] C[60,160]"},
	},
	{
		"delivered before the acknowledgement: no negative wait",
		`S SERVER 0-45
		   PR PRODUCER 10-40
		     C CONSUMER 30-160 op=process`,
		[]string{"S[0,10] PR[10,40] S[40,45]"},
		[]string{"S[0,10] PR[10,30] C[30,160]"},
	},
	{
		"a consumer that is linked from another trace is the same as one with a parent",
		`S SERVER 0-50
		   PR PRODUCER 10-20
		C CONSUMER 60-160 link=PR trace=2
		  DB CLIENT 70-150`,
		[]string{"S[0,10] PR[10,20] S[20,50]"},
		[]string{"S[0,10] PR[10,20] ~message[20,60] C[60,70] DB[70,150] C[150,160]"},
	},
	{
		"a poll that served two orders joins neither",
		`S1 SERVER 0-50
		   P1 PRODUCER 10-20
		S2 SERVER 5-55 trace=2
		   P2 PRODUCER 15-25
		R CLIENT 0-60 op=receive link=P1 link=P2 trace=3
		  W1 CONSUMER 61-100 op=process link=P1
		  W2 CONSUMER 101-150 op=process link=P2`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,10] P2[10,20] S2[20,50]"},
		[]string{"S1[0,10] P1[10,20] ~message[20,61] W1[61,100]", "S2[0,10] P2[10,20] ~message[20,96] W2[96,145]"},
	},
	{
		"what kotel's links give: process to receive, receive to send",
		`S SERVER 0-50
		   P PRODUCER 10-20
		c.RX CONSUMER 30-60 messaging.operation=receive link=P trace=2
		c.W CONSUMER 65-100 messaging.operation=process link=c.RX trace=3`,
		[]string{"S[0,10] P[10,20] S[20,50]"},
		[]string{"S[0,10] P[10,20] ~message[20,30] c.RX[30,60] ~continuation[60,65] c.W[65,100]"},
	},
	{
		"a consumer whose clock is far behind its producer's",
		`S 0-50
		   P PRODUCER 30-40
		     C CONSUMER 5-20
		   D 45-70`,
		[]string{"S[0,30] P[30,40] S[40,50]"},
		[]string{"S[0,30] P[30,40] S[40,45] D[45,70]"},
	},
	{
		"a consumer that starts before the root",
		`S 10-20
		   P PRODUCER 12-14
		     C CONSUMER 0-50`,
		[]string{"S[0,2] P[2,4] S[4,10]"},
		[]string{"C[0,40]"},
	},
	{
		"a join: three branches, the last one to be ready explains it",
		`S 0-50
		   P1 PRODUCER 10-11
		   P2 PRODUCER 10-14
		   P3 PRODUCER 10-12
		J CONSUMER 60-90 link=P1 link=P2 link=P3 trace=2`,
		[]string{"S[0,10] P2[10,14] S[14,50]"},
		[]string{"S[0,10] P2[10,14] ~message[14,60] J[60,90]"},
	},
	{
		"a chain of messages over three traces",
		`S 0-10
		   P PRODUCER 2-4
		C CONSUMER 10-30 link=P trace=2
		  Q PRODUCER 25-29
		D CONSUMER 40-60 link=Q trace=3`,
		[]string{"S[0,2] P[2,4] S[4,10]"},
		[]string{"S[0,2] P[2,4] ~message[4,10] C[10,25] Q[25,29] ~message[29,40] D[40,60]"},
	},
	{
		"a poll opened before its message existed is not on the path before that",
		`S 0-10
		   P PRODUCER 2-8
		c.R CLIENT 1-20 op=receive link=P trace=2
		  c.W CONSUMER 25-30`,
		[]string{"S[0,2] P[2,8] S[8,10]"},
		[]string{"S[0,2] P[2,8] ~message[8,20] ~continuation[20,25] c.W[25,30]"},
	},
	{
		"a commit after the work moves no end",
		`S 0-10
		   P PRODUCER 2-4
		     C CONSUMER 10-30 op=process
		       K CLIENT 31-500 op=settle`,
		[]string{"S[0,2] P[2,4] S[4,10]"},
		[]string{"S[0,2] P[2,4] ~message[4,10] C[10,30]"},
	},
	{
		"a receive span alone is a delivery",
		`S 0-20
		   P PRODUCER 5-8
		o.receive CONSUMER 30-80 op=receive link=P trace=2`,
		[]string{"S[0,5] P[5,8] S[8,20]"},
		[]string{"S[0,5] P[5,8] ~message[8,30] o.receive[30,80]"},
	},
	{
		"two groups: one by a process span, one by a receive span alone",
		`S 0-20
		   P PRODUCER 5-8
		     a.W CONSUMER 30-40 op=process
		     b.R CONSUMER 60-61 op=receive`,
		[]string{"S[0,5] P[5,8] S[8,20]"},
		[]string{"S[0,5] P[5,8] ~message[8,60] b.R[60,61]"},
	},
	{
		"one service takes a message from two queues: by a process span, and by a receive span alone",
		`S 0-20
		   P PRODUCER 5-8
		     a.W CONSUMER 30-40 op=process topic=q1
		     a.R CONSUMER 60-61 op=receive topic=q2`,
		[]string{"S[0,5] P[5,8] S[8,20]"},
		[]string{"S[0,5] P[5,8] ~message[8,60] a.R[60,61]"},
	},
	{
		"one queue, of which the handler names the template, too: what received before it is a poll",
		`S 0-20
		   P PRODUCER 5-8
		     a.W CONSUMER 30-40 op=process topic=q.7 messaging.destination.template=q.{n}
		     a.R CONSUMER 60-61 op=receive topic=q.7`,
		[]string{"S[0,5] P[5,8] S[8,20]"},
		[]string{"S[0,5] P[5,8] ~message[8,30] a.W[30,40]"},
	},
	{
		"a poll that was open long before its message was sent",
		`S 0-60
		   P PRODUCER 40-50
		a.R CONSUMER -4990-100 op=receive link=P trace=2`,
		[]string{"S[0,40] P[40,50] S[50,60]"},
		[]string{"S[0,40] P[40,50] ~message[50,100]"},
	},
	{
		"again after a failure",
		`S 0-20
		   P PRODUCER 5-8
		     w.A1 CONSUMER 30-40 op=process group=g error
		     w.A2 CONSUMER 140-180 op=process group=g`,
		[]string{"S[0,5] P[5,8] S[8,20]"},
		[]string{"S[0,5] P[5,8] ~message[8,30] w.A1[30,40] ~retry[40,140] w.A2[140,180]"},
	},
	{
		"a worker's loop outside the journey is the parent of the handler: the wait is the message's",
		`S SERVER 0-20
		   P PRODUCER 5-8
		w.loop 0-200 trace=2
		   w.H CONSUMER 30-80 op=process link=P`,
		[]string{"S[0,5] P[5,8] S[8,20]"},
		[]string{"S[0,5] P[5,8] ~message[8,30] w.H[30,80]"},
	},
	{
		"work that waits in a mailbox",
		`s.S SERVER 0-20
		   s.carry-on 50-80 tracelab.carry_on=true`,
		[]string{"s.S[0,20]"},
		[]string{"s.S[0,20] ~mailbox[20,50] s.carry-on[50,80]"},
	},
	{
		"a batch is charged from the message that was ready last, and not before it",
		`S SERVER 0-50
		   P1 PRODUCER 10-20
		   P2 PRODUCER 30-40
		c.R CLIENT 0-60 op=receive link=P1 link=P2 trace=2
		c.W CONSUMER 65-200 link=c.R trace=3`,
		[]string{"S[0,10] P1[10,20] S[20,30] P2[30,40] S[40,50]"},
		[]string{"S[0,10] P1[10,20] S[20,30] P2[30,40] ~message[40,60] ~continuation[60,65] c.W[65,200]"},
	},
	{
		"a batch that waited for another order's message: the wait is the batch's, then the queue's",
		`S1 0-50
		   P1 PRODUCER 10-20
		S2 5-55 trace=2
		   P2 PRODUCER 35-45
		W CONSUMER 60-90 link=P1 link=P2 trace=3`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,30] P2[30,40] S2[40,50]"},
		[]string{"S1[0,10] P1[10,20] ~batch[20,45] ~message[45,60] W[60,90]", "S2[0,30] P2[30,40] ~message[40,55] W[55,85]"},
	},
	{
		"a batch whose other message was ready only after it started: all of the wait is the batch's",
		`S1 0-50
		   P1 PRODUCER 10-20
		S2 5-95 trace=2
		   P2 PRODUCER 35-85
		W CONSUMER 60-120 link=P1 link=P2 trace=3`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,30] P2[30,80] S2[80,90]"},
		[]string{"S1[0,10] P1[10,20] ~batch[20,60] W[60,120]", "S2[0,30] P2[30,55] W[55,115]"},
	},
	{
		"what is done for one message of a batch is of its journey alone",
		`S1 0-50
		   P1 PRODUCER 10-20
		S2 5-55 trace=2
		   P2 PRODUCER 35-45
		B CONSUMER 60-100 link=P1 link=P2 trace=3
		   U1 INTERNAL 60-80 link=P1
		     Q1 PRODUCER 70-80
		   U2 INTERNAL 60-99 link=P2
		C1 CONSUMER 90-130 link=Q1 trace=4`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,30] P2[30,40] S2[40,50]"},
		[]string{"S1[0,10] P1[10,20] ~batch[20,45] ~message[45,60] U1[60,70] Q1[70,80] ~message[80,90] C1[90,130]", "S2[0,30] P2[30,40] ~message[40,55] U2[55,94] B[94,95]"},
	},
	{
		"what is done for another message of a batch is on no path",
		`S1 0-50
		   P1 PRODUCER 10-20
		S2 5-55 trace=2
		   P2 PRODUCER 35-45
		B CONSUMER 60-100 link=P1 link=P2 trace=3
		   U1 INTERNAL 75-95 link=P1
		   U2 INTERNAL 60-75 link=P2`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,30] P2[30,40] S2[40,50]"},
		[]string{"S1[0,10] P1[10,20] ~batch[20,45] ~message[45,60] B[60,75] U1[75,95] B[95,100]", "S2[0,30] P2[30,40] ~message[40,55] U2[55,70] B[70,95]"},
	},
	{
		"a batch whose other message was ready first adds no batch wait",
		`S1 0-50
		   P1 PRODUCER 10-20
		S2 1-50 trace=2
		   P2 PRODUCER 2-5
		W CONSUMER 60-90 link=P1 link=P2 trace=3`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,1] P2[1,4] S2[4,49]"},
		[]string{"S1[0,10] P1[10,20] ~message[20,60] W[60,90]", "S2[0,1] P2[1,4] ~batch[4,19] ~message[19,59] W[59,89]"},
	},
	{
		"a reply that came in a batch: what made it wait for others of the batch is not what was asked",
		`w.S SERVER 0-100
		   w.P PRODUCER 5-8 messaging.message.conversation_id=1
		     b.H CONSUMER 30-80 op=process
		       b.Q PRODUCER 75-79
		   w.X PRODUCER 60-84
		w.R CONSUMER 85-90 op=process link=b.Q link=w.X trace=2 messaging.message.conversation_id=1`,
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~batch[79,84] ~message[84,85] w.R[85,90] w.S[90,100]"},
		[]string{"w.S[0,5] w.P[5,8] ~message[8,30] b.H[30,75] b.Q[75,79] ~batch[79,84] ~message[84,85] w.R[85,90] w.S[90,100]"},
	},
}
