import { Button } from "../../components/button";
import { TextField } from "../../components/field";

export interface Header {
  name: string;
  value: string;
}

/** Headers as the API takes them. */
export const headersGiven = (headers: Header[]): Record<string, string> =>
  Object.fromEntries(headers.filter(({ name }) => name !== "").map(({ name, value }) => [name, value]));

/** Any number of header fields. */
export function HeaderFields(props: { headers: Header[]; onChange: (headers: Header[]) => void }) {
  const set = (index: number, change: Partial<Header>): void =>
    props.onChange(props.headers.map((header, place) => (place === index ? { ...header, ...change } : header)));
  return (
    <>
      {props.headers.map((header, index) => (
        <div key={index} class="filters">
          <TextField
            label={`Header ${index + 1}`}
            value={header.name}
            onChange={(name) => set(index, { name })}
            placeholder="Authorization"
            mono
            autoFocus
          />
          <TextField
            label={`Value ${index + 1}`}
            value={header.value}
            onChange={(value) => set(index, { value })}
            placeholder="Bearer …"
            mono
          />
          <Button
            label={`Remove header ${index + 1}`}
            onPress={() => props.onChange(props.headers.filter((_, place) => place !== index))}
          >
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button small onPress={() => props.onChange([...props.headers, { name: "", value: "" }])}>
          Add a header
        </Button>
      </div>
    </>
  );
}
