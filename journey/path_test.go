package journey_test

import (
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// pathCase is a drawing with the paths that it must have; journeys after the first are given as further paths.
type pathCase struct {
	why        string
	drawing    string
	response   []string
	completion []string
}

// pathCases are the cases of the rules for paths: one drawing for each thing that could go wrong.
var pathCases = []pathCase{
	{
		"two calls one after the other, with the parent's own work around them",
		`P 0-100
		   A 10-50
		   B 50-90`,
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
	},
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
		"work that a request starts and does not wait for",
		`S SERVER 0-50
		   G 40-2000`,
		[]string{"S[0,50]"},
		[]string{"S[0,40] G[40,2000]"},
	},
	{
		"work started after its cause had ended",
		`S SERVER 0-50
		   G 80-120`,
		[]string{"S[0,50]"},
		[]string{"S[0,50] ~detached-after[50,80] G[80,120]"},
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
		"of a span and its call that end together, the way back begins at the caller, whichever has the lower id",
		`R SERVER 0-80 id=0000000000000009
		   M PRODUCER 10-20
		   N PRODUCER 40-75
		P CONSUMER 30-100 op=process link=M
		   C CONSUMER 70-100 op=process link=N id=0000000000000001`,
		[]string{"R[0,10] M[10,20] R[20,40] N[40,75] R[75,80]"},
		[]string{"R[0,10] M[10,20] R[20,30] P[30,70] C[70,100]"},
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
		"calls side by side: the one that ends last is on the path, the other is not",
		`P 0-100
		   A 10-50
		   B 20-90`,
		[]string{"P[0,20] B[20,90] P[90,100]"},
		[]string{"P[0,20] B[20,90] P[90,100]"},
	},
	{
		"side by side, then a call before both",
		`P 0-100
		   Z 2-9
		   A 10-50
		   B 20-90`,
		[]string{"P[0,2] Z[2,9] P[9,20] B[20,90] P[90,100]"},
		[]string{"P[0,2] Z[2,9] P[9,20] B[20,90] P[90,100]"},
	},
	{
		"side by side with one end: the one that started last is on the path",
		`P 0-100
		   A 10-90
		   B 50-90`,
		[]string{"P[0,50] B[50,90] P[90,100]"},
		[]string{"P[0,50] B[50,90] P[90,100]"},
	},
	{
		"back to back within the tolerance: both are on the path, the earlier is clipped",
		`P 0-100
		   A 10-50.5
		   B 50-90`,
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
	},
	{
		"overlapping by more than the tolerance: side by side",
		`P 0-100
		   A 10-51.1
		   B 50-90`,
		[]string{"P[0,50] B[50,90] P[90,100]"},
		[]string{"P[0,50] B[50,90] P[90,100]"},
	},
	{
		"overlapping by a nanosecond more than the tolerance",
		`P 0-100
		   A 10-51.000001
		   B 50-90`,
		[]string{"P[0,50] B[50,90] P[90,100]"},
		[]string{"P[0,50] B[50,90] P[90,100]"},
	},
	{
		"detached work that started just before a call had ended",
		`S 0-100
		   A 10-51
		   B 60-99
		   D 50-200`,
		[]string{"S[0,10] A[10,51] S[51,60] B[60,99] S[99,100]"},
		[]string{"S[0,10] A[10,50] D[50,200]"},
	},
	{
		"detached work that started a nanosecond too early for that",
		`S 0-100
		   A 10-51.000001
		   D 50-200`,
		[]string{"S[0,10] A[10,51.000001] S[51.000001,100]"},
		[]string{"S[0,50] D[50,200]"},
	},
	{
		"the tolerance is 1 % of a long span",
		`P 0-1000
		   A 100-509
		   B 500-900`,
		[]string{"P[0,100] A[100,500] B[500,900] P[900,1000]"},
		[]string{"P[0,100] A[100,500] B[500,900] P[900,1000]"},
	},
	{
		"nested calls, each with work of its own",
		`A CLIENT 0-100
		   B SERVER 10-90
		     C CLIENT 20-80
		       D SERVER 30-70`,
		[]string{"A[0,10] B[10,20] C[20,30] D[30,70] C[70,80] B[80,90] A[90,100]"},
		[]string{"A[0,10] B[10,20] C[20,30] D[30,70] C[70,80] B[80,90] A[90,100]"},
	},
	{
		"a server whose span ends after its client's counts up to the client's end, and so do its calls",
		`A CLIENT 0-100
		   B SERVER 10-120
		     C 20-115`,
		[]string{"A[0,10] B[10,20] C[20,100]"},
		[]string{"A[0,10] B[10,20] C[20,100]"},
	},
	{
		"a client that gave up: its caller waits no longer, the server works on",
		`P 0-60
		   A CLIENT 10-50 error
		     B SERVER 12-200
		       C 20-190`,
		[]string{"P[0,10] A[10,50] P[50,60]"},
		[]string{"P[0,10] A[10,12] B[12,20] C[20,190] B[190,200]"},
	},
	{
		"calls of no length are on no path",
		`P 0-10
		   A 5-5
		   B 10-10`,
		[]string{"P[0,10]"},
		[]string{"P[0,10]"},
	},
	{
		"a call that starts before its caller: clocks are off, the sum is not",
		`A CLIENT 10-50
		   B SERVER 5-40`,
		[]string{"B[0,30] A[30,40]"},
		[]string{"B[0,30] A[30,40]"},
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
		"microseconds count within a resource",
		`a.root SERVER 0-0.3
		   a.job 0.2-1.2`,
		[]string{"a.root[0,0.3]"},
		[]string{"a.root[0,0.2] a.job[0.2,1.2]"},
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
		"a join of two parents within their caller",
		`A 0-100
		   L 5-20
		   R 5-40
		   J 50-80 parent=L childof=R`,
		[]string{"A[0,5] R[5,40] A[40,50] J[50,80] A[80,100]"},
		[]string{"A[0,5] R[5,40] A[40,50] J[50,80] A[80,100]"},
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

func TestPaths(t *testing.T) {
	for _, c := range pathCases {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			var response, completion []string
			for _, j := range set.Journeys() {
				response = append(response, draw.Path(set, j.ResponsePath()))
				completion = append(completion, draw.Path(set, j.CompletionPath()))
			}
			equalLines(t, "response path", response, c.response)
			equalLines(t, "completion path", completion, c.completion)
		})
	}
}

// A batch seen from each of its messages: the wait for the batch is the time until its last message was ready.
func TestMessagePaths(t *testing.T) {
	tests := []struct {
		why, drawing string
		want         []string
	}{
		{
			"two messages of one order",
			"S 0-50\n  P1 PRODUCER 10-20\n  P2 PRODUCER 30-40\nW CONSUMER 65-200 link=P1 link=P2 trace=2",
			[]string{"S[0,10] P1[10,20] ~batch[20,40] ~message[40,65] W[65,200]", "S[0,10] P1[10,20] S[20,30] P2[30,40] ~message[40,65] W[65,200]"},
		},
		{
			"by way of a poll",
			"S 0-50\n  P1 PRODUCER 10-20\n  P2 PRODUCER 30-40\nc.R CLIENT 0-60 op=receive link=P1 link=P2 trace=2\nc.W CONSUMER 65-200 op=process link=c.R trace=3",
			[]string{
				"S[0,10] P1[10,20] ~batch[20,40] ~message[40,60] ~continuation[60,65] c.W[65,200]",
				"S[0,10] P1[10,20] S[20,30] P2[30,40] ~message[40,60] ~continuation[60,65] c.W[65,200]",
			},
		},
		{
			"a message that was not the last thing",
			"S 0-500\n  P PRODUCER 10-20\n    C CONSUMER 30-40",
			[]string{"S[0,10] P[10,20] ~message[20,30] C[30,40]"},
		},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			j := set.Journeys()[0]
			var got []string
			for _, m := range j.Messages() {
				got = append(got, draw.Path(set, j.MessagePath(m)))
			}
			equalLines(t, "message paths", got, c.want)
		})
	}
}

func newSet(t testing.TB, drawing string) *journey.Set {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return journey.NewSet(spans)
}

// rootedAt returns the journey whose root is that line of the drawing, from 0 on.
func rootedAt(set *journey.Set, line byte) *journey.Journey {
	for _, j := range set.Journeys() {
		if i, ok := j.Root(); ok && set.Span(i).ID[7] == line+1 {
			return j
		}
	}
	return new(journey.Journey)
}

func equalLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("%s:\n%s\nwant:\n%s", what, g, w)
	}
}
