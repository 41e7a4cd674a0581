/* Refuses UPDATE and DELETE without a WHERE, as some services do to everybody. */
#include "postgres.h"

#include "fmgr.h"
#include "parser/analyze.h"

PG_MODULE_MAGIC;

static post_parse_analyze_hook_type next_hook;

static void
refuse(Query *query)
{
	ListCell   *cell;

	if ((query->commandType == CMD_UPDATE || query->commandType == CMD_DELETE) &&
		query->jointree->quals == NULL)
		ereport(ERROR,
				errcode(ERRCODE_CARDINALITY_VIOLATION),
				errmsg("%s needs a WHERE", query->commandType == CMD_UPDATE ? "UPDATE" : "DELETE"));
	foreach(cell, query->cteList)
		refuse((Query *) lfirst_node(CommonTableExpr, cell)->ctequery);
}

static void
require_where(ParseState *pstate, Query *query, JumbleState *jstate)
{
	if (next_hook)
		next_hook(pstate, query, jstate);
	refuse(query);
}

void
_PG_init(void)
{
	next_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = require_where;
}
