package journey_test

// callPaths: calls one after another, side by side, nested, and work that nobody waits for.
var callPaths = []pathCase{
	{
		"two calls one after the other, with the parent's own work around them",
		`P 0-100
		   A 10-50
		   B 50-90`,
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
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
		"microseconds count within a resource",
		`a.root SERVER 0-0.3
		   a.job 0.2-1.2`,
		[]string{"a.root[0,0.3]"},
		[]string{"a.root[0,0.2] a.job[0.2,1.2]"},
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
}
