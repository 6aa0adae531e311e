import type { ComponentChildren } from "preact";

export interface ColumnOf<Row> {
  title: string;
  /** What stands in it. */
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the end of the line. */
  isNumber?: boolean;
  /** It says what the row is about. */
  isHead?: boolean;
}

/** A table. */
export function Table<Row>(props: {
  label: string;
  columns: ColumnOf<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string | number;
}) {
  return (
    <div class="table-frame" role="region" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.title} scope="col" class={column.isNumber ? "end" : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.rowKey(row)}>
              {props.columns.map((column) =>
                column.isHead ? (
                  <th key={column.title} scope="row">
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.title} class={column.isNumber ? "end" : undefined}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
