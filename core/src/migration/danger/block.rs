//! Looks into `DO` blocks.

use super::bounds::fits;
use super::tree::{Reader, child};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxKind as K, SyntaxNode};

/// How many texts may stand in one another: a block, a statement that it executes, a block in that.
const LEVELS_LIMIT: usize = 4;

/// The dangers of a block's statements, and `unreadable` for those that nobody can know beforehand.
pub(super) fn read(reader: &mut Reader<'_>, node: &SyntaxNode) {
    let Some(block) = ast::Do::cast(node.clone()) else { return };
    let source = block.body().and_then(|body| body.string_value());
    let readable = source.is_some_and(|source| fits(&source)) && reader.levels < LEVELS_LIMIT;
    let Some(body) = readable.then(|| block.plpgsql()).flatten() else { return reader.unreadable(node) };
    let tree = body.syntax();
    let begin = reader.place_of(node);
    let outermost = reader.levels == 0;
    // Further inside, the place of the outer statement has to do.
    let place = |inner: &SyntaxNode| {
        let range = inner.text_range();
        let begin_of_word = inner.first_token().map_or(range, |token| token.text_range());
        if outermost { begin.max(usize::from(body.source_range(begin_of_word).start())) } else { begin }
    };
    let mut inner = Reader::new(reader.version, &place, reader.levels + 1);
    inner.read(&tree);
    let mut dynamic: Vec<_> = tree.descendants().filter(|n| executes(n.kind())).collect();
    dynamic.sort_by_key(|statement| statement.text_range().start());
    for statement in dynamic {
        executed(&mut inner, &statement);
    }
    let cannot = !body.errors().is_empty() || tree.descendants().any(|n| n.kind() == K::ERROR);
    let events = inner.events;
    reader.events.extend(events);
    if cannot {
        reader.unreadable(node);
    }
}

fn executes(kind: K) -> bool {
    matches!(
        kind,
        K::PLPGSQL_DYN_EXECUTE_STMT
            | K::PLPGSQL_FOR_DYN_STMT
            | K::PLPGSQL_RETURN_QUERY_EXECUTE_STMT
            | K::PLPGSQL_OPEN_EXECUTE
    )
}

/// `EXECUTE 'a literal'` is read like any statement; what is put together at run time cannot be.
fn executed(reader: &mut Reader<'_>, statement: &SyntaxNode) {
    let literal = child(statement, K::PLPGSQL_EXPR).and_then(|expr| only_literal(&expr));
    let text = literal.and_then(|literal| literal.string_value());
    let text = text.filter(|text| reader.levels < LEVELS_LIMIT && fits(text));
    let Some(text) = text else { return reader.unreadable(statement) };
    let parse = SourceFile::parse(&text);
    let begin = reader.place_of(statement);
    let place = |_: &SyntaxNode| begin;
    let mut inner = Reader::new(reader.version, &place, reader.levels + 1);
    inner.read(&parse.syntax_node());
    reader.events.extend(inner.events);
    if !parse.errors().is_empty() {
        reader.unreadable(statement);
    }
}

/// The literal that an expression consists of.
fn only_literal(expr: &SyntaxNode) -> Option<ast::Literal> {
    let words = super::tree::text(expr, "");
    let literal = expr.descendants().find_map(ast::Literal::cast)?;
    (super::tree::text(literal.syntax(), "") == words).then_some(literal)
}
