import { render } from "preact";
import { Console } from "./console";
import { resume } from "./state/session";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/frame.css";
import "./styles/administration.css";
import "./styles/live.css";

const place = document.getElementById("console");
if (place) {
  void resume();
  render(<Console />, place);
}
